package terminal

import (
	"encoding/json"
	"io"

	"github.com/spf13/pflag"
)

// JSONFlag defines --json, which means the same for every command: standard output has
// JSON objects and nothing else. A list has one object for each entry, and none if it is
// empty. Any other result is one object. Each object is on a line of its own, except for
// the reports of bench, which are indented.
func JSONFlag(flags *pflag.FlagSet, asJSON *bool) {
	flags.BoolVar(asJSON, "json", false, "print one JSON object; of a list one for each entry, each on a line")
}

// PrintObjects writes values as --json requires, one object a line.
func PrintObjects[T any](out io.Writer, values ...T) error {
	e := json.NewEncoder(out)
	e.SetEscapeHTML(false)
	for i := range values {
		if err := e.Encode(values[i]); err != nil {
			return err
		}
	}
	return nil
}
