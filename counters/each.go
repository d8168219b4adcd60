package counters

import (
	"fmt"
	"reflect"
	"strings"
	"time"
)

// Sample is one value of a metric.
type Sample struct {
	Name, Help string
	// Label and LabelValue are empty for a metric without a label.
	Label, LabelValue string
	Value             float64
	// Rises is true for a counter and false for a gauge.
	Rises bool
}

// Each calls emit for every value of the fields of stats that have a metric, in the order of
// the fields. stats is a struct, or a pointer to one, that no goroutine adds to. Each panics
// if a field cannot be shown, which is a bug of the struct's package.
func Each(stats any, emit func(Sample)) {
	fields(reflect.Indirect(reflect.ValueOf(stats)), emit)
}

func fields(v reflect.Value, emit func(Sample)) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		metric, shown := field.Tag.Lookup("metric")
		switch {
		case shown:
			s := Sample{Help: field.Tag.Get("help")}
			s.Name, s.Label, _ = strings.Cut(metric, ",")
			s.Label, s.LabelValue, _ = strings.Cut(s.Label, "=")
			if s.Name == "" || s.Help == "" {
				panic(fmt.Sprintf("counters: %v.%s has a metric without a name or without help", v.Type(), field.Name))
			}
			values(v.Field(i), s, emit)
		case field.Anonymous && field.Type.Kind() == reflect.Struct:
			fields(v.Field(i), emit)
		}
	}
}

// values calls emit for the values of one field.
func values(v reflect.Value, s Sample, emit func(Sample)) {
	switch v.Kind() {
	case reflect.Array:
		labels := v.Interface().(Labeller)
		for i := range v.Len() {
			if s.LabelValue = labels.Label(i); s.LabelValue != "" {
				value(v.Index(i), s, emit)
			}
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			s.LabelValue = key.String()
			value(v.MapIndex(key), s, emit)
		}
	default:
		value(v, s, emit)
	}
}

func value(v reflect.Value, s Sample, emit func(Sample)) {
	switch {
	case v.Kind() == reflect.Bool:
		if v.Bool() {
			s.Value = 1
		}
	case v.Type() == reflect.TypeFor[time.Duration]():
		s.Value, s.Rises = time.Duration(v.Int()).Seconds(), true
	case v.Type() == reflect.TypeFor[Counter](), v.Type() == reflect.TypeFor[uint64]():
		s.Value, s.Rises = float64(v.Uint()), true
	case v.CanInt():
		s.Value = float64(v.Int())
	case v.CanUint():
		s.Value = float64(v.Uint())
	default:
		panic(fmt.Sprintf("counters: %s is a %v, which cannot be shown", s.Name, v.Type()))
	}
	emit(s)
}

// Sum adds the counters of the struct live to those of into, a struct of the same type that
// the caller owns. Other goroutines may add to live meanwhile.
func Sum[T any](into, live *T) {
	sum(reflect.ValueOf(into).Elem(), reflect.ValueOf(live).Elem())
}

func sum(into, live reflect.Value) {
	switch live.Kind() {
	case reflect.Struct:
		for i := range live.NumField() {
			if live.Type().Field(i).IsExported() {
				sum(into.Field(i), live.Field(i))
			}
		}
	case reflect.Array:
		for i := range live.Len() {
			sum(into.Index(i), live.Index(i))
		}
	default:
		if n, ok := live.Addr().Interface().(*Counter); ok {
			into.SetUint(into.Uint() + n.Load())
		}
	}
}
