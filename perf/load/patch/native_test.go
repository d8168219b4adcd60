//go:build linux

package patch

import (
	"slices"
	"testing"

	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loadtest"
)

func TestClients_Native_AcknowledgesWhatItSkims(t *testing.T) {
	for _, size := range []uint64{1, 16348, 16349, 5<<20 + 77} {
		o := clients(3, true)
		o.File, o.Checkers = mustPatch(t, size), 1
		f := mustRun(t, loadtest.ServeUpdate(t, o.Native, &loadtest.Update{Path: o.File.Path}), o,
			func(f *Clients) bool { return f.Whole.Load() >= 5 || f.Failed.Load() > 0 })
		if len(f.Errors) > 0 || f.Checked.Load() == 0 || f.Bytes.Load() < 5*size*99/100 {
			t.Errorf("%d bytes: errors %v, %d bytes came, %d compared", size, f.Errors, f.Bytes.Load(), f.Checked.Load())
		}
	}
}

func TestClients_Native_Errors(t *testing.T) {
	file := mustPatch(t, 3<<20)
	for _, c := range []struct {
		name     string
		update   loadtest.Update
		checkers int
		want     []counts.UpdateError
	}{
		// Acknowledgements that nobody read make a reset of an end.
		{"closes in the middle", loadtest.Update{Cut: 2 << 20}, 1, []counts.UpdateError{counts.FaultClosed.UpdateError(), counts.FaultReset.UpdateError()}},
		{"a byte is wrong", loadtest.Update{Spoil: 1 << 20}, 2, []counts.UpdateError{counts.UpdateWrongContent}},
		{"says that it failed", loadtest.Update{Fail: true}, 0, []counts.UpdateError{counts.UpdateFailed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			o := clients(2, true)
			o.File, o.Checkers = file, c.checkers
			u := c.update
			u.Path = file.Path
			f := mustRun(t, loadtest.ServeUpdate(t, o.Native, &u), o,
				func(f *Clients) bool { return f.Failed.Load() >= 2 })
			for what := range f.Errors {
				if !slices.Contains(c.want, what) {
					t.Errorf("%s, want %q", what, c.want)
				}
			}
		})
	}
}

func TestClients_Native_ServerThatOffersNothing(t *testing.T) {
	o := clients(2, true)
	o.File = mustPatch(t, 1)
	_, target := loadtest.ServeNative(t, o.Native, nil)
	f := mustRun(t, target, o, func(f *Clients) bool { return f.Failed.Load() > 0 })
	if f.Errors[counts.UpdateLetIn] == 0 {
		t.Errorf("errors %v, want %q", f.Errors, counts.UpdateLetIn)
	}
}
