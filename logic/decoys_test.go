package logic

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/storage"
	"gatepass/worlds"
)

// stepRegionKey is a list of worlds with the key that the region's login servers share,
// or with none, as from an older manager.
func stepRegionKey(e *scenario, t *testing.T, d *datadriven.TestData) {
	var s worlds.Snapshot
	if !d.HasArg("none") {
		var first int
		d.ScanArgs(t, "first", &first)
		key := make([]byte, worlds.VoucherKeySize)
		key[0] = byte(first)
		s.VoucherKey = worlds.NewSecret(key)
	}
	e.core.Step(FromBus(&worlds.Event{Snapshot: &s}))
}

// stepSalts says what the salts of the store's accounts look like.
func stepSalts(e *scenario, t *testing.T, d *datadriven.TestData) {
	shape := storage.SaltShape{ZeroTop: d.HasArg("zero-top")}
	var marked int
	d.ScanArgs(t, "marked", &marked)
	shape.Marked = uint16(marked)
	e.core.Step(FromOperator(&Command{Kind: CommandSalts, Salts: shape}))
}

// stepDecoysKept is the store's result of keeping them.
func stepDecoysKept(e *scenario, _ *testing.T, d *datadriven.TestData) {
	r := storage.Result{Kind: storage.OpSetDecoys}
	if d.HasArg("error") {
		r.Err = storage.ErrFailed
	}
	e.core.Step(FromStore(&r))
}
