package process

import (
	"fmt"
	"io"
	"log/slog"
)

// PrintEnd writes why gatepass ends: as text, or as an object where the log is JSON.
func PrintEnd(errOut io.Writer, why error, asJSON bool) {
	if asJSON {
		slog.New(jsonLines(errOut, slog.LevelInfo)).Error("gatepass ends", "error", why.Error())
		return
	}
	fmt.Fprintln(errOut, "gatepass:", why)
}
