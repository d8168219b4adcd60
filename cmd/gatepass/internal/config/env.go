package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/v2"
)

// envPrefix begins the names of all variables. ClientPrefix begins those of the client,
// which are no settings of a server.
const (
	envPrefix    = "GATEPASS_"
	ClientPrefix = envPrefix + "CLIENT_"
)

// loadEnv reads the environment. A variable that is no key is a fault, so that a typo
// does not go unnoticed.
func loadEnv(k *koanf.Koanf) error {
	known := keysOf(reflect.TypeFor[Config](), "")
	var faults []error
	provider := env.Provider(".", env.Opt{Prefix: envPrefix, TransformFunc: func(name, value string) (string, any) {
		key := envKey(name)
		switch {
		case slices.Contains(known, key):
			return key, value
		case !isServiceLink(name) && !strings.HasPrefix(name, ClientPrefix):
			faults = append(faults, unknownVariable(name, known))
		}
		return "", nil
	}})
	return errors.Join(k.Load(provider, nil), errors.Join(faults...))
}

// envKey returns the key of a variable: log.level for GATEPASS_LOG__LEVEL.
func envKey(name string) string {
	key := strings.ToLower(strings.TrimPrefix(name, envPrefix))
	return strings.ReplaceAll(strings.ReplaceAll(key, "__", "."), "_", "-")
}

// envName returns the variable of a key.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(strings.ReplaceAll(key, "-", "_"), ".", "__"))
}

// isServiceLink reports whether a variable is one that Kubernetes sets in every container
// beside a Service named gatepass. They describe the Service and are no settings.
func isServiceLink(name string) bool {
	rest := strings.TrimPrefix(name, envPrefix)
	return rest == "SERVICE_HOST" || rest == "PORT" ||
		strings.HasPrefix(rest, "SERVICE_PORT") || strings.HasPrefix(rest, "PORT_")
}

func unknownVariable(name string, known []string) error {
	// The likeliest typo is one underscore where the key has a dot.
	meant := strings.ReplaceAll(envKey(name), ".", "-")
	for _, key := range known {
		if strings.ReplaceAll(key, ".", "-") == meant {
			return fmt.Errorf("%s: there is no such setting, did you mean %s?", name, envName(key))
		}
	}
	return fmt.Errorf("%s: there is no such setting; a variable is %s and its key in capitals, '-' as '_' and '.' as '__', such as %s for log.level",
		name, envPrefix, envName("log.level"))
}

// keysOf returns the keys of a configuration struct: log.level and so on.
func keysOf(t reflect.Type, prefix string) (keys []string) {
	for i := range t.NumField() {
		f := t.Field(i)
		key := prefix + f.Tag.Get("koanf")
		switch {
		case f.Anonymous: // its keys are on this level
			keys = append(keys, keysOf(f.Type, prefix)...)
		case f.Type.Kind() == reflect.Struct:
			keys = append(keys, keysOf(f.Type, key+".")...)
		case f.IsExported():
			keys = append(keys, key)
		}
	}
	return keys
}
