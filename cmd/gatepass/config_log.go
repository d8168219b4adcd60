package main

import (
	"fmt"
	"gatepass/cmd/gatepass/internal/exit"
	"log/slog"
)

// ending returns err as an exit.LoggedError if the log is JSON, else as it is.
func (c *logConfig) ending(err error) error {
	if err == nil || c.Format != formatJSON {
		return err
	}
	return exit.Logged(err)
}

func (c *config) checkLogFormat() error {
	if c.Log.Format != "text" && c.Log.Format != formatJSON {
		return fmt.Errorf("log.format: %q is neither text nor json", c.Log.Format)
	}
	return nil
}

// logLevel returns log.level.
func (c *config) logLevel() (slog.Level, error) {
	var l slog.Level
	if err := l.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return l, fmt.Errorf("log.level: %q is not one of debug, info, warn, error", c.Log.Level)
	}
	return l, nil
}

// formatJSON is the log.format of JSON objects, one a line.
const formatJSON = "json"
