package terminal

import (
	"errors"
	"fmt"
	"math"

	"github.com/spf13/pflag"
)

// FlagFault replaces the error of a flag's value by one that has the flag, the value, what
// the flag accepts and what it is for. It returns other errors as they are.
func FlagFault(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	flag := invalid.GetFlag()
	want := wanted(flag.Value.Type())
	if want == "" {
		return err
	}
	_, usage := pflag.UnquoteUsage(flag)
	return fmt.Errorf("--%s: %q is not %s; it is for: %s", flag.Name, invalid.GetValue(), want, usage)
}

// wanted returns what a flag of a type accepts. It is empty for types of gatepass, whose
// own errors say so.
func wanted(kind string) string {
	switch kind {
	case "uint8":
		return "a whole number in 0 to 255"
	case "uint16":
		return "a whole number in 0 to 65535"
	case "uint32":
		return fmt.Sprintf("a whole number in 0 to %d", uint32(math.MaxUint32))
	case "uint", "uint64":
		return "a whole number from 0 on"
	case "int", "int32", "int64":
		return "a whole number"
	case "intSlice":
		return "whole numbers with commas between them"
	case "float64":
		return "a number"
	case "duration":
		return "a span of time such as 500ms, 90s or 10m"
	case "bool":
		return "true or false"
	}
	return ""
}
