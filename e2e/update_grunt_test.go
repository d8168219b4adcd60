package e2e

import (
	"math"
	"testing"
)

// TestUpdate_Grunt: a patch is added while the server runs, and clients that were
// refused are brought up to date, each in its own layout; others notice nothing. What
// was added is taken away again.
func TestUpdate_Grunt(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 1<<20+777)
	g := start(t, setup{})
	all := []edition{aged, agedVanilla, agedTBC}
	for _, e := range all {
		c := dial(t, g.grunt, e)
		c.send(c.hello(0x00, demo.name))
		c.expect([]byte{0, 0, 9})
		c.expectClosed()
	}
	addPatch(t, g.data, wayVanilla, f)
	addPatch(t, g.data, "--from 5464 --to 5875", f)
	addPatch(t, g.data, wayTBC, f)
	for i, e := range all {
		g.untilAnswered(e, 0)
		c := dial(t, g.grunt, e)
		c.offered(demo, f)
		c.expectOpen()
		c.send(acceptFile)
		c.mustGet(f.content)
		g.untilOutcome("update-done", float64(i+1))
		c.expectOpen() // it is the client that goes
		c.close()
		again := dial(t, g.grunt, e) // it has no words for an offer
		again.send(again.hello(0x02, demo.name))
		again.expect([]byte{2, 9})
		again.expectClosed()
		for _, w := range []who{{demo.name, "WRONG"}, {"NOBODY", "X"}} {
			dial(t, g.grunt, e).mustFail(w, 4)
		}
	}
	if n := g.outcome("update-offered"); n != 3 {
		t.Errorf("%v were offered the file, 3 should have been", n)
	}
	g.untilIdle()
	dial(t, g.grunt, vanilla).mustLogin(demo)

	patch(t, g.data, "remove", "grunt-5302-5875", "grunt-5464-5875", "grunt-8089-8606")
	for _, e := range all {
		g.untilAnswered(e, 9)
	}
	g.healthy()
}

// TestUpdate_GruntResume: a client that has a part of the file is sent the rest, with
// nothing left nothing, and behind the end there is nothing to be had.
func TestUpdate_GruntResume(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 300_001)
	size := uint64(len(f.content))
	g := startPatched(t, setup{}, f, wayVanilla)
	offsets, sent := []uint64{0, 1, 4096, size / 2, size - 1, size}, uint64(0)
	for i, offset := range offsets {
		c := dial(t, g.grunt, aged)
		c.offered(demo, f)
		c.send(resumeFile(offset))
		c.mustGet(f.content[offset:])
		sent += size - offset
		g.untilOutcome("update-done", float64(i+1))
		c.expectOpen()
		c.close()
	}
	beyond := []uint64{size + 1, math.MaxInt64, math.MaxUint64}
	for _, offset := range beyond {
		c := dial(t, g.grunt, aged)
		c.offered(demo, f)
		c.send(resumeFile(offset))
		c.expectClosed()
	}
	if n := g.metric("gatepass_updates_failed_total", "reason", "offset"); n != float64(len(beyond)) {
		t.Errorf("%v are counted as beyond the end, %d were", n, len(beyond))
	}
	g.untilIdle()
	if n := g.metric("gatepass_transfer_bytes_total"); n != float64(sent) {
		t.Errorf("%v bytes are counted, %d were sent", n, sent)
	}
	g.healthy()
}

// TestUpdate_GruntCancel: a player may have enough at any time.
func TestUpdate_GruntCancel(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 2<<20)
	g := startPatched(t, setup{}, f, wayVanilla)

	before := dial(t, g.grunt, aged)
	before.offered(demo, f)
	before.send(cancelFile)
	before.expectClosed()

	during := dialNarrow(t, g.grunt, aged)
	during.offered(demo, f)
	during.send(acceptFile)
	during.frames(100_000)
	during.send(cancelFile)
	if came := len(during.rest()); came > len(f.content)/2 {
		t.Errorf("%d bytes came behind the cancel", came)
	}
	g.untilOutcome("update-cancelled", 2)

	after := dial(t, g.grunt, aged)
	after.offered(demo, f)
	after.send(acceptFile)
	after.mustGet(f.content)
	g.untilOutcome("update-done", 1)
	after.send(cancelFile)
	after.expectClosed()

	gone := dialNarrow(t, g.grunt, aged) // without a word
	gone.offered(demo, f)
	gone.send(acceptFile)
	gone.frames(100_000)
	gone.close()
	g.untilIdle()
	if n := g.outcome("update-cancelled"); n != 2 {
		t.Errorf("%v are counted as cancelled, 2 were", n)
	}
	g.healthy()
}
