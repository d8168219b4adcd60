package main

import (
	"fmt"
	"io"
	"log/slog"
)

// printEnd writes why gatepass ends: as text, or as an object where the log is JSON.
func printEnd(errOut io.Writer, why error, asJSON bool) {
	if asJSON {
		slog.New(jsonLines(errOut, slog.LevelInfo)).Error("gatepass ends", "error", why.Error())
		return
	}
	fmt.Fprintln(errOut, "gatepass:", why)
}
