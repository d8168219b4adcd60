package config

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"runtime"
	"slices"
	"strings"

	"github.com/knadh/koanf/parsers/toml/v2"
	"github.com/knadh/koanf/providers/confmap"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/providers/posflag"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/logic"
)

// placed adds the line and column of an error in a file, and the text of that line. It
// returns errors without a position as they are.
func placed(path string, err error) error {
	var at interface{ Position() (row, column int) }
	if !errors.As(err, &at) {
		return err
	}
	row, column := at.Position()
	text, readErr := os.ReadFile(path)
	lines := strings.Split(string(text), "\n")
	if readErr != nil || row < 1 || row > len(lines) {
		return fmt.Errorf("line %d, column %d: %w", row, column, err)
	}
	return fmt.Errorf("line %d, column %d: %w: %q", row, column, err, strings.TrimSpace(lines[row-1]))
}

// Load reads the configuration of a command. extra are defaults of the command,
// which go before the general ones. The error is an exit.UsageError with every fault at
// once, each with its key; it is an exit.LoggedError where the log is to be JSON.
func Load(flags *pflag.FlagSet, extra map[string]any) (*Config, error) {
	defaults := koanf.New(".")
	for _, d := range []map[string]any{generalDefaults(), extra} {
		if err := defaults.Load(confmap.Provider(d, "."), nil); err != nil {
			return nil, err
		}
	}
	k := defaults.Copy()
	if path, _ := flags.GetString("config"); path != "" {
		if err := k.Load(file.Provider(path), toml.Parser()); err != nil {
			return nil, exit.Usage(fmt.Errorf("configuration file %s: %w", path, placed(path, err)))
		}
	}
	envErr := loadEnv(k)
	if envErr != nil {
		envErr = fmt.Errorf("environment: %w", envErr)
	}
	known := keysOf(reflect.TypeFor[Config](), "")
	fromFlags := posflag.ProviderWithFlag(flags, ".", k, func(f *pflag.Flag) (string, any) {
		if !f.Changed || !slices.Contains(known, f.Name) {
			return "", nil // not set, or the command's own
		}
		return f.Name, posflag.FlagVal(flags, f)
	})
	if err := k.Load(fromFlags, nil); err != nil {
		return nil, err
	}
	c, err := read(k, defaults)
	if err != nil {
		err = fmt.Errorf("configuration: %w", err)
	}
	if err = errors.Join(envErr, err); err != nil {
		written := Log{Format: k.String("log.format")} // this key may be valid where others are not
		return nil, written.Ending(exit.Usage(err))
	}
	c.fitMachine()
	return c, nil
}

// fitMachine fills in the values that depend on the machine or on other values. On one
// or two cores everything shares one thread, because to wake a second one costs more than
// it saves. From four cores on, the logic and the sender run beside the reactors.
// docs/performance.md has the measurements.
func (c *Config) fitMachine() {
	cores := runtime.GOMAXPROCS(0) // what the machine or its control group allows
	if c.Procs == 0 {
		c.Procs = max(1, cores/2)
		if cores >= 4 {
			c.Procs = cores
		}
	}
	if c.Reactors == 0 {
		c.Reactors = min(max(1, (c.Procs-2)/2), logic.MaxReactors)
	}
	if c.Bus.Dir == "" {
		c.Bus.Dir = filepath.Join(c.Data, "bus")
	}
	if c.Advertise == "" {
		c.Advertise = c.Grunt
	}
}
