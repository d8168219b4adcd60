package main

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

const envPrefix = "GATEPASS_"

// loadEnv takes the variables. One that is no key is a fault: a setting with a
// slip of the pen must not go unnoticed.
func loadEnv(k *koanf.Koanf) error {
	known := configKeys(reflect.TypeFor[config](), "")
	var faults []error
	provider := env.Provider(".", env.Opt{Prefix: envPrefix, TransformFunc: func(name, value string) (string, any) {
		key := envKey(name)
		switch {
		case slices.Contains(known, key):
			return key, value
		case !isServiceLink(name) && !strings.HasPrefix(name, clientEnv):
			faults = append(faults, unknownVariable(name, known))
		}
		return "", nil
	}})
	return errors.Join(k.Load(provider, nil), errors.Join(faults...))
}

// envKey turns GATEPASS_LOG__LEVEL into log.level, envName does the reverse.
func envKey(name string) string {
	key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
	return strings.ReplaceAll(strings.ReplaceAll(key, "__", "."), "_", "-")
}

func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(key, "-", "_"), ".", "__"))
}

// isServiceLink tells the variables that Kubernetes sets in every container
// beside a Service named gatepass. They are about the Service, not for us.
func isServiceLink(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	return rest == "SERVICE_HOST" || rest == "PORT" ||
		strings.HasPrefix(rest, "SERVICE_PORT") || strings.HasPrefix(rest, "PORT_")
}

func unknownVariable(name string, known []string) error {
	// The likeliest slip is one underscore where the key has a dot.
	meant := strings.ReplaceAll(envKey(name), ".", "-")
	for _, key := range known {
		if strings.ReplaceAll(key, ".", "-") == meant {
			return fmt.Errorf("%s: there is no such setting, did you mean %s?", name, envName(key))
		}
	}
	return fmt.Errorf("%s: there is no such setting; a variable is %s and its key in capitals, '-' as '_' and '.' as '__', such as %s for log.level",
		name, envPrefix, envName("log.level"))
}

// configKeys are the keys of a configuration struct: log.level and so on.
func configKeys(t reflect.Type, prefix string) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("koanf")
		switch {
		case f.Anonymous: // squashed into this one
			keys = append(keys, configKeys(f.Type, prefix)...)
		case f.Type.Kind() == reflect.Struct:
			keys = append(keys, configKeys(f.Type, key+".")...)
		case f.IsExported():
			keys = append(keys, key)
		}
	}
	return keys
}
