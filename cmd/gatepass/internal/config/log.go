package config

import (
	"fmt"
	"log/slog"

	"gatepass/cmd/gatepass/internal/exit"
)

// Ending returns err as an exit.LoggedError if the log is JSON, else as it is.
func (c *Log) Ending(err error) error {
	if err == nil || c.Format != FormatJSON {
		return err
	}
	return exit.Logged(err)
}

func (c *Config) checkLogFormat() error {
	if c.Log.Format != "text" && c.Log.Format != FormatJSON {
		return fmt.Errorf("log.format: %q is neither text nor json", c.Log.Format)
	}
	return nil
}

// LogLevel returns log.level.
func (c *Config) LogLevel() (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return l, fmt.Errorf("log.level: %q is not one of debug, info, warn, error", c.Log.Level)
	}
	return l, nil
}

// FormatJSON is the log.format of JSON objects, one a line.
const FormatJSON = "json"
