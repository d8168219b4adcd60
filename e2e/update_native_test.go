package e2e

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	native "gatepass/client"
	"gatepass/codec"
)

// narrow is the smallest window: no server is further ahead of a client than that.
const narrow = 64 << 10

// startNativePatched starts a server that has the file for old clients, and accounts
// whose password is "secret".
func startNativePatched(t testing.TB, s setup, f *patchFile, accounts ...string) *gatepass {
	t.Helper()
	g := startPatched(t, s, f, wayNative)
	for _, name := range accounts {
		g.addNative(name, "secret")
	}
	return g
}

// download is a Download under way in a goroutine of its own.
type download struct {
	t      testing.TB
	dir    string
	cancel context.CancelFunc
	// half is closed when half of the file is here, where it waits for release.
	half, release chan struct{}
	// places are those in line that it was told.
	places chan int
	ended  chan struct{}
	path   string // of the file; valid once ended is closed, as err
	err    error
}

// startDownload begins one that holds in the middle; the test's end ends it.
func startDownload(t testing.TB, offer *native.UpdateOffer) *download {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d := &download{
		t: t, dir: t.TempDir(), cancel: cancel, half: make(chan struct{}), release: make(chan struct{}),
		places: make(chan int, 100), ended: make(chan struct{}),
	}
	o := native.DownloadOptions{Dir: d.dir, Window: narrow, Progress: d.progress(ctx)}
	go func() {
		defer close(d.ended)
		d.path, d.err = offer.Download(ctx, o)
	}()
	t.Cleanup(func() {
		cancel()
		<-d.ended
	})
	return d
}

func (d *download) progress(ctx context.Context) func(native.UpdateProgress) {
	held := false
	return func(p native.UpdateProgress) {
		switch {
		case p.Phase == native.UpdateInLine && p.Position > 0:
			d.places <- p.Position
		case p.Phase == native.UpdateReceiving && !held && p.Done > p.Size/2:
			held = true
			close(d.half)
			select {
			case <-d.release:
			case <-ctx.Done():
			}
		}
	}
}

// untilHalf waits for the middle.
func (d *download) untilHalf() {
	d.t.Helper()
	select {
	case <-d.half:
	case <-d.ended:
		d.t.Fatalf("the download ended before its middle: %v", d.err)
	case <-time.After(patience):
		d.t.Fatal("the download does not come to its middle")
	}
}

// untilPlace waits to be told a place.
func (d *download) untilPlace(place int) {
	d.t.Helper()
	for late := time.After(patience); ; {
		select {
		case p := <-d.places:
			if p == place {
				return
			}
		case <-late:
			d.t.Fatalf("it is not told that it has place %d", place)
		}
	}
}

// result lets it go on and waits for its end.
func (d *download) result() (path string, err error) {
	d.t.Helper()
	close(d.release)
	select {
	case <-d.ended:
	case <-time.After(patience):
		d.t.Fatal("the download does not end")
	}
	return d.path, d.err
}

// TestUpdate_NativeChain: a client that is two patches behind gets one after the other,
// and is in; one that takes no updates is told that it needs one.
func TestUpdate_NativeChain(t *testing.T) {
	t.Parallel()
	f, second := newPatchFile(t, 3<<20+17), newPatchFile(t, 1)
	g := startNativePatched(t, setup{}, f, "ana")
	o := agedOptions(oldBuild)
	o.TakesUpdates = false
	if s, err := signIn(t, g.said["native"], native.Credentials{Account: "ana", Password: "secret"}, o); !errors.Is(err, native.ErrUpdate) {
		t.Errorf("who takes no updates got %v, %v", s, err)
	}
	addPatch(t, g.data, wayOn, second)
	var offer *native.UpdateOffer
	eventually(t, "the way has two steps", func() bool {
		offer = offeredTo(t, g.said["native"], "ana", oldBuild)
		return offer.Steps == 2 || offer.Close() != nil
	})
	if total := uint64(len(f.content) + 1); offer.From != oldBuild || offer.To != middleBuild || offer.Total != total ||
		offer.Size != uint64(len(f.content)) || offer.Name != f.name() {
		t.Errorf("offered %+v", offer)
	}
	dir := t.TempDir()
	path, err := offer.Download(within20(t), native.DownloadOptions{Dir: dir})
	must(t, err)
	f.check(t, path)

	offer = offeredTo(t, g.said["native"], "ana", middleBuild)
	if offer.From != middleBuild || offer.To != newBuild || offer.Steps != 1 || offer.Total != 1 {
		t.Errorf("offered %+v", offer)
	}
	path, err = offer.Download(within20(t), native.DownloadOptions{Dir: dir})
	must(t, err)
	second.check(t, path)
	g.untilOutcome("update-done", 2)

	s, err := signIn(t, g.said["native"], native.Credentials{Account: "ana", Password: "secret"}, agedOptions(newBuild))
	must(t, err)
	must(t, s.Close())
	g.untilIdle()
	g.healthy()
}

// goesOn downloads, and wants what was here already not to come again.
func goesOn(t testing.TB, offer *native.UpdateOffer, dir string) (path string) {
	t.Helper()
	first := uint64(0)
	path, err := offer.Download(within20(t), native.DownloadOptions{Dir: dir, Progress: func(p native.UpdateProgress) {
		if p.Phase == native.UpdateReceiving && first == 0 {
			first = p.Done
		}
	}})
	must(t, err)
	if first < offer.Size/4 {
		t.Errorf("it began anew: the first that came ended at %d", first)
	}
	return path
}

// TestUpdate_NativeCut: a connection that breaks costs no more than a chunk, whether
// the player's client comes back by itself or is started anew.
func TestUpdate_NativeCut(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 4<<20)
	g := startNativePatched(t, setup{}, f, "ana")
	between := newProxy(t, g.said["native"])
	addr := between.listener.Addr().String()

	d := startDownload(t, offeredTo(t, addr, "ana", oldBuild))
	d.untilHalf()
	between.drop()
	if _, err := d.result(); !errors.Is(err, native.ErrUpdateBroken) {
		t.Fatalf("a broken connection ends it by %v", err)
	}
	f.check(t, goesOn(t, offeredTo(t, addr, "ana", oldBuild), d.dir))

	// By itself, cut twice.
	ctx := within20(t)
	c, err := native.Dial(ctx, addr, agedOptions(oldBuild))
	must(t, err)
	defer c.Close()
	who := native.Credentials{Account: "ana", Password: "secret"}
	offer := (*native.UpdateOffer)(nil)
	if _, err = c.Login(ctx, who); !errors.As(err, &offer) {
		t.Fatalf("no offer but %v", err)
	}
	cuts := 0
	path, err := c.Update(ctx, who, offer, native.DownloadOptions{Dir: t.TempDir(), Window: narrow, Progress: func(p native.UpdateProgress) {
		if p.Phase == native.UpdateReceiving && p.Done > uint64(cuts+1)*p.Size/3 && cuts < 2 {
			cuts++
			between.drop()
		}
	}})
	must(t, err)
	f.check(t, path)
	if cuts != 2 {
		t.Errorf("it was cut %d times", cuts)
	}
	g.untilIdle()
	g.healthy()
}

// TestUpdate_NativeCrash: a server that is killed under way has lost nothing: behind its
// next start the download goes on.
func TestUpdate_NativeCrash(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 4<<20)
	g := startNativePatched(t, setup{}, f, "ana")
	d := startDownload(t, offeredTo(t, g.said["native"], "ana", oldBuild))
	d.untilHalf()
	g.kill()
	if _, err := d.result(); !errors.Is(err, native.ErrUpdateBroken) {
		t.Fatalf("a killed server ends it by %v", err)
	}
	g = start(t, setup{data: g.data})
	f.check(t, goesOn(t, offeredTo(t, g.said["native"], "ana", oldBuild), d.dir))
	g.untilIdle()
	g.healthy()
}

// TestUpdate_NativeStop: a server that ends tells those under way when to come back, and
// does not wait for them.
func TestUpdate_NativeStop(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 4<<20)
	g := startNativePatched(t, setup{args: []string{"--drain-limit", "10m"}}, f, "ana", "bea")
	d := startDownload(t, offeredTo(t, g.said["native"], "ana", oldBuild))
	d.untilHalf()
	addPatch(t, g.data, wayVanilla, f)
	g.untilAnswered(aged, 0)
	stalled := dialNarrow(t, g.grunt, aged)
	stalled.offered(demo, f)
	stalled.send(acceptFile)
	stalled.frames(1)
	thinking := offeredTo(t, g.said["native"], "bea", oldBuild)
	g.signal(syscall.SIGTERM)
	if code := g.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if came := len(stalled.rest()); came > len(f.content)/2 {
		t.Errorf("%d bytes came to who was hung up on", came)
	}
	_, err := d.result()
	away := (*native.RefusedError)(nil)
	if !errors.Is(err, native.ErrUpdateBroken) || !errors.As(err, &away) || away.Result != codec.ResultGoingAway || away.RetryAfter <= 0 {
		t.Errorf("a server that stops ends it by %v", err)
	}
	if _, err := thinking.Download(within20(t), native.DownloadOptions{Dir: t.TempDir()}); !errors.Is(err, native.ErrUpdateBroken) {
		t.Errorf("who has not decided yet gets %v", err)
	}
}

// TestUpdate_NativeLine: where one is served at a time the others are told their place,
// move up when somebody leaves, and are all served in the end.
func TestUpdate_NativeLine(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 1<<20)
	g := startNativePatched(t, setup{env: []string{"GATEPASS_UPDATES__AT_ONCE=1"}}, f, "ana", "bea", "cora", "dora")
	begin := func(name string) *download { return startDownload(t, offeredTo(t, g.said["native"], name, oldBuild)) }
	first := begin("ana")
	first.untilHalf()
	second := begin("bea")
	second.untilPlace(1)
	third := begin("cora")
	third.untilPlace(2)
	fourth := begin("dora")
	fourth.untilPlace(3)
	eventually(t, "one is counted as served and three as waiting", func() bool {
		return g.metric("gatepass_updates_sending") == 1 && g.metric("gatepass_updates_waiting") == 3
	})
	third.cancel() // in line
	first.cancel() // under way
	second.untilHalf()
	fourth.untilPlace(1)
	for _, d := range []*download{second, fourth} {
		path, err := d.result()
		must(t, err)
		f.check(t, path)
	}
	for _, d := range []*download{first, third} {
		if _, err := d.result(); !errors.Is(err, context.Canceled) {
			t.Errorf("a cancelled one ends by %v", err)
		}
	}
	// Declined at once.
	must(t, offeredTo(t, g.said["native"], "ana", oldBuild).Close())
	// Who cancels with data unread may be gone before that is heard.
	eventually(t, "two or three have cancelled", func() bool { n := g.outcome("update-cancelled"); return n == 2 || n == 3 })
	g.untilIdle()
	g.healthy()
}

// TestUpdate_NativeToken: a remembered device needs no password to be offered an update,
// and is remembered behind it, whatever became of that.
func TestUpdate_NativeToken(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 1<<20)
	g := startNativePatched(t, setup{}, f, "ana")
	folder := filepath.Join(t.TempDir(), "devices")
	sign := func(password string, build uint16, takes bool) error {
		o := remembering(folder)
		o.Build, o.TakesUpdates = build, takes
		s, err := signIn(t, g.said["native"], native.Credentials{Account: "ana", Password: password}, o)
		if err == nil {
			must(t, s.Close())
		}
		return err
	}
	must(t, sign("secret", newBuild, true))
	if err := sign("", oldBuild, false); !errors.Is(err, native.ErrUpdate) {
		t.Errorf("who takes no updates got %v", err)
	}
	must(t, sign("", newBuild, true))
	for _, end := range []func(offer *native.UpdateOffer){
		func(offer *native.UpdateOffer) { must(t, offer.Close()) },
		func(offer *native.UpdateOffer) {
			path, err := offer.Download(within20(t), native.DownloadOptions{Dir: t.TempDir()})
			must(t, err)
			f.check(t, path)
		},
		func(offer *native.UpdateOffer) {
			d := startDownload(t, offer)
			d.untilHalf()
			g.kill()
			if _, err := d.result(); !errors.Is(err, native.ErrUpdateBroken) {
				t.Errorf("a killed server ends it by %v", err)
			}
			g = start(t, setup{data: g.data})
		},
	} {
		offer := (*native.UpdateOffer)(nil)
		if err := sign("", oldBuild, true); !errors.As(err, &offer) {
			t.Fatalf("no offer but %v", err)
		}
		end(offer)
		must(t, sign("", newBuild, true))
	}
	g.untilIdle()
	g.healthy()
}
