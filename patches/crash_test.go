package patches

import (
	"context"
	"os"
)

// crashDir names the environment variable that makes this test binary, run again, crash in the
// middle of an edit.
const crashDir = "GATEPASS_TEST_CRASH_IN"

// crashInEdit ends the process like a crash: no deferred call runs.
func crashInEdit(dir string) {
	_ = Edit(context.Background(), dir, func(c *Catalogue) error {
		c.Marks = nil
		if f, err := os.CreateTemp(dir, newPrefix+"*"); err == nil {
			_, _ = f.WriteString(`{"format": 1, "mar`)
		}
		os.Exit(3)
		return nil
	})
}
