package config

import (
	"errors"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/go-viper/mapstructure/v2"
	"github.com/knadh/koanf/v2"
)

// read decodes and checks a configuration. The error has every fault at once, each
// with its key and value. To find all of them, the checks run with the default in the
// place of a value that cannot be decoded.
func read(k, defaults *koanf.Koanf) (*Config, error) {
	c, err := decode(k)
	if err == nil {
		return c, c.validate()
	}
	faults := decodeFaults(err)
	for i := range faults {
		var fault *keyError
		if !errors.As(faults[i], &fault) {
			continue
		}
		key, _, _ := strings.Cut(fault.key, "[")
		k.Delete(key)
		if d := defaults.Get(key); d != nil {
			faults = append(faults, k.Set(key, d))
		}
	}
	c, _ = decode(k) // its faults, keys that do not exist, are in faults already
	return nil, errors.Join(append(faults, c.validate())...)
}

// decode returns what it could decode, also with an error.
func decode(k *koanf.Koanf) (*Config, error) {
	c := new(Config)
	return c, k.UnmarshalWithConf("", c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		TagName: "koanf", ErrorUnused: true, WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			decodeSpan, mapstructure.StringToWeakSliceHookFunc(","), decodeInteger, decodeFraction),
	}})
}

// keyError is a value that cannot be decoded.
type keyError struct{ key, text string }

func (e *keyError) Error() string { return e.key + ": " + e.text }

// decodeSpan reads a time.Duration. It refuses a number without a unit: it would count
// as nanoseconds, which is not what its writer meant.
func decodeSpan(from, to reflect.Value) (any, error) {
	value := from.Interface()
	if to.Type() != reflect.TypeFor[time.Duration]() || from.Type() == to.Type() {
		return value, nil
	}
	span, err := time.ParseDuration(fmt.Sprint(value))
	if err != nil {
		return nil, fmt.Errorf("%#v is not a span of time such as 500ms, 90s or 10m", value)
	}
	return span, nil
}

// decodeInteger reads every other whole number. It refuses one that its key cannot hold:
// mapstructure would truncate it.
func decodeInteger(from, to reflect.Value) (any, error) {
	value := from.Interface()
	if !to.CanInt() && !to.CanUint() || from.Type() == to.Type() {
		return value, nil
	}
	least, most := integerRange(to.Type())
	n, ok := wholeNumber(from)
	if !ok || n < least || n > most {
		if to.Type().Bits() == 64 { // a range of 64 bits tells people nothing
			return nil, fmt.Errorf("%#v is not a whole number", value)
		}
		return nil, fmt.Errorf("%#v is not a whole number in %d to %d", value, least, most)
	}
	return n, nil
}

// decodeFraction reads numbers that need not be whole. Flags and variables come as text.
func decodeFraction(from, to reflect.Value) (any, error) {
	if !to.CanFloat() || from.Kind() != reflect.String {
		return from.Interface(), nil
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(from.String()), 64)
	if err != nil || math.IsNaN(f) || math.IsInf(f, 0) {
		return nil, fmt.Errorf("%q is not a number", from.String())
	}
	return f, nil
}

// integerRange returns the range of an integer type, limited to that of int64.
func integerRange(t reflect.Type) (least, most int64) {
	if zero := reflect.Zero(t); zero.CanUint() {
		return 0, math.MaxInt64 >> max(0, 63-t.Bits())
	}
	most = math.MaxInt64 >> (64 - t.Bits())
	return -most - 1, most
}

// wholeNumber returns v as an int64 if it is a whole number. Flags and variables come as
// text; an empty text is 0.
func wholeNumber(v reflect.Value) (int64, bool) {
	switch {
	case v.CanInt():
		return v.Int(), true
	case v.CanUint():
		return int64(v.Uint()), v.Uint() <= math.MaxInt64
	case v.CanFloat():
		f := v.Float()
		return int64(f), f == math.Trunc(f) && math.Abs(f) < 1<<63
	case v.Kind() == reflect.String:
		text := strings.TrimSpace(v.String())
		if text == "" {
			return 0, true
		}
		n, err := strconv.ParseInt(text, 0, 64)
		return n, err == nil
	}
	return 0, false
}

// decodeFaults splits mapstructure's error into one error a fault, each with its key
// first.
func decodeFaults(err error) (faults []error) {
	var joined interface{ Unwrap() []error }
	if errors.As(err, &joined) {
		for _, e := range joined.Unwrap() {
			faults = append(faults, decodeFaults(e)...)
		}
		return faults
	}
	var fault *mapstructure.DecodeError
	if !errors.As(err, &fault) {
		return []error{err}
	}
	text := fault.Unwrap().Error()
	var parse *mapstructure.ParseError
	if errors.As(err, &parse) {
		text = fmt.Sprintf("%#v: %s", parse.Value, text)
		if parse.Expected.Kind() == reflect.Bool {
			text = fmt.Sprintf("%#v is neither true nor false", parse.Value)
		}
	}
	if keys, ok := strings.CutPrefix(text, "has invalid keys: "); ok {
		if section := fault.Name(); section != "" && !strings.Contains(section, "[") {
			for key := range strings.SplitSeq(keys, ", ") { // the other keys of the section are valid
				faults = append(faults, &keyError{section + "." + key, "there is no such key"})
			}
			return faults
		}
		text = "there is no such key: " + keys
	}
	if fault.Name() == "" {
		return []error{errors.New(text)}
	}
	return []error{&keyError{fault.Name(), text}}
}
