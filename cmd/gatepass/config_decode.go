package main

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

// readConfig turns values as they were written into those of a config that is valid.
// All that is wrong is reported at once, each with its key and value: where something
// cannot be turned, the rest is looked at with the defaults in its place.
func readConfig(k, defaults *koanf.Koanf) (*config, error) {
	c, err := decodeConfig(k)
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
	c, _ = decodeConfig(k) // what it still cannot turn, keys that do not exist, is told
	return nil, errors.Join(append(faults, c.validate())...)
}

// decodeConfig gives what it could read, also with an error.
func decodeConfig(k *koanf.Koanf) (*config, error) {
	c := new(config)
	return c, k.UnmarshalWithConf("", c, koanf.UnmarshalConf{DecoderConfig: &mapstructure.DecoderConfig{
		TagName: "koanf", ErrorUnused: true, WeaklyTypedInput: true,
		DecodeHook: mapstructure.ComposeDecodeHookFunc(
			decodeSpan, mapstructure.StringToWeakSliceHookFunc(","), decodeInteger, decodeFraction),
	}})
}

// keyError is a value that cannot be turned.
type keyError struct{ key, text string }

func (e *keyError) Error() string { return e.key + ": " + e.text }

// decodeSpan reads a time.Duration. A bare number is refused: it would be
// nanoseconds, which nobody means.
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

// decodeInteger reads every other whole number and keeps it within what its key
// holds: left to itself, mapstructure cuts off what does not fit.
func decodeInteger(from, to reflect.Value) (any, error) {
	value := from.Interface()
	if !to.CanInt() && !to.CanUint() || from.Type() == to.Type() {
		return value, nil
	}
	least, most := integerRange(to.Type())
	n, ok := wholeNumber(from)
	if !ok || n < least || n > most {
		if to.Type().Bits() == 64 { // its range tells people nothing
			return nil, fmt.Errorf("%#v is not a whole number", value)
		}
		return nil, fmt.Errorf("%#v is not a whole number in %d to %d", value, least, most)
	}
	return n, nil
}

// decodeFraction reads numbers that need not be whole; texts are those of flags and
// variables.
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

// integerRange is what an integer type holds, as far as an int64 does.
func integerRange(t reflect.Type) (least, most int64) {
	if zero := reflect.Zero(t); zero.CanUint() {
		return 0, math.MaxInt64 >> max(0, 63-t.Bits())
	}
	most = math.MaxInt64 >> (64 - t.Bits())
	return -most - 1, most
}

// wholeNumber gives a value that is a whole number; texts are those of flags and
// variables, and empty ones are 0.
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

// decodeFaults takes what mapstructure reports apart and puts the key first.
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
			for key := range strings.SplitSeq(keys, ", ") { // the others of the section stay
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
