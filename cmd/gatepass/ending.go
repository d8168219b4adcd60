package main

import (
	"fmt"
	"io"
	"log/slog"
)

// loggedError ends a process whose log is JSON, and is told as a line of it.
type loggedError struct{ error }

// Unwrap is the error itself.
func (e loggedError) Unwrap() error { return e.error }

// ending is err as a process with this log is to end with.
func (c *logConfig) ending(err error) error {
	if err == nil || c.Format != formatJSON {
		return err
	}
	return loggedError{err}
}

// printEnd tells why gatepass ends: as text, or as an object where the log is JSON.
func printEnd(errOut io.Writer, why error, asJSON bool) {
	if asJSON {
		slog.New(jsonLines(errOut, slog.LevelInfo)).Error("gatepass ends", "error", why.Error())
		return
	}
	fmt.Fprintln(errOut, "gatepass:", why)
}
