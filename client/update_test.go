package client_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/client"
	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// overTCP dials a fake by real sockets.
type overTCP struct{ *fake }

func (o overTCP) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	defer l.Close()
	theirs, err := new(net.Dialer).DialContext(ctx, network, l.Addr().String())
	if err != nil {
		return nil, err
	}
	ours, err := l.Accept()
	if err != nil {
		return nil, errors.Join(err, theirs.Close())
	}
	inner, err := o.fake.DialContext(ctx, network, address)
	if err != nil {
		return nil, errors.Join(err, theirs.Close(), ours.Close())
	}
	go pipe(inner, ours)
	go pipe(ours, inner)
	return theirs, nil
}

func pipe(to, from net.Conn) {
	defer to.Close()
	b := make([]byte, 32<<10)
	for {
		n, err := from.Read(b)
		if _, failed := to.Write(b[:n]); err != nil || failed != nil {
			return
		}
	}
}

// offered signs in and wants an offer.
func (f *fake) offered(t testing.TB, o client.Options) *client.UpdateOffer {
	t.Helper()
	s, err := f.login(t, o, credentials())
	var offer *client.UpdateOffer
	if s != nil || !errors.As(err, &offer) || !errors.Is(err, client.ErrUpdate) {
		t.Fatalf("got %v", err)
	}
	t.Cleanup(func() { offer.Close() })
	return offer
}

func TestUpdate_WholeByRealSockets(t *testing.T) {
	file := someFile(3_456_789, 1)
	f := updating(file, (*updater).serve)
	o := f.takingUpdates()
	o.Dialer = overTCP{f}
	offer := f.offered(t, o)
	if offer.From != 7 || offer.To != 8 || offer.Size != uint64(len(file)) || offer.Name != updateName ||
		offer.Steps != 2 || offer.Total != offer.Size+5 || offer.ChunkSize != updateChunk {
		t.Fatalf("got %+v", offer)
	}
	dir, last := t.TempDir(), client.UpdateProgress{}
	path, err := offer.Download(t.Context(), client.DownloadOptions{Dir: dir, Window: 1, Progress: func(p client.UpdateProgress) {
		if p.Done < last.Done || p.Size != offer.Size {
			t.Errorf("%+v behind %+v", p, last)
		}
		last = p
	}})
	if err != nil || path != filepath.Join(dir, updateName) {
		t.Fatalf("got %q, %v", path, err)
	}
	if last.Phase != client.UpdateReceiving || last.Done != offer.Size {
		t.Errorf("last told: %+v", last)
	}
	wantFiles(t, dir, map[string][]byte{updateName: file})
	if _, err := offer.Download(t.Context(), client.DownloadOptions{Dir: dir}); !errors.Is(err, client.ErrClosed) {
		t.Errorf("a second download: %v", err)
	}
}

// What is there of an earlier try is kept as far as its chunks are right.
func TestUpdate_GoesOnWhereItIsRight(t *testing.T) {
	file := someFile(456_789, 1)
	wrong := func(at int) []byte {
		b := bytes.Clone(file)
		b[at] ^= 1
		return b
	}
	for name, c := range map[string]struct {
		part []byte
		from uint64
	}{
		"nothing": {nil, 0}, "empty": {[]byte{}, 0}, "less than a chunk": {file[:99_999], 0}, "chunks": {file[:300_000], 300_000},
		"chunks and a part": {file[:399_999], 300_000}, "a wrong chunk": {wrong(150_000), 100_000}, "the last is wrong": {wrong(456_788), 400_000},
		"another file": {someFile(456_789, 2), 0},
		"short of one": {file[:456_788], 400_000},
	} {
		bubble(t, name, func(t *testing.T) {
			var from atomic.Uint64
			f := updating(file, func(u *updater) {
				u.serve()
				from.Store(u.accept.GetOffset())
			})
			dir := folder(t, c.part)
			if _, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir}); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			if from.Load() != c.from {
				t.Errorf("it went on from %d, want %d", from.Load(), c.from)
			}
			wantFiles(t, dir, map[string][]byte{updateName: file})
		})
	}
}

// Where the whole file is here nothing is downloaded.
func TestUpdate_HasItAlready(t *testing.T) {
	file := someFile(456_789, 1)
	for name, here := range map[string]string{"whole": updateName, "part": updateName + ".part"} {
		bubble(t, name, func(t *testing.T) {
			heard := make(chan *pb.ClientFrame, 1)
			f := updating(file, func(u *updater) {
				u.offer(offerOf(file))
				heard <- u.wanted()
			})
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, here), file, 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir}); err != nil {
				t.Fatal(err)
			}
			if m := <-heard; m.GetCancelUpdate() == nil {
				t.Errorf("the server heard %v", m)
			}
			wantFiles(t, dir, map[string][]byte{updateName: file})
		})
	}
}

// trouble has a download fail by what the server does behind AcceptUpdate, and looks at
// what is left.
func trouble(t *testing.T, file []byte, left int, want error, behave func(u *updater)) error {
	t.Helper()
	f := updating(file, func(u *updater) {
		u.offer(offerOf(file))
		if u.accepted() {
			behave(u)
		}
	})
	dir := folder(t, nil)
	_, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir})
	wantErr(t, err, want)
	files := map[string][]byte{}
	if left > 0 {
		files[updateName+".part"] = file[:left]
	}
	wantFiles(t, dir, files)
	return err
}

func TestUpdate_Trouble(t *testing.T) {
	file := someFile(456_789, 1)
	for name, c := range map[string]struct {
		behave func(u *updater)
		left   int
		want   error
	}{
		"a wrong chunk": {func(u *updater) {
			u.file = bytes.Clone(file)
			u.file[250_000] ^= 1
			u.serveFrom(0)
		}, 200_000, client.ErrUpdateData},
		"behind the end":     {func(u *updater) { u.failed(pb.UpdateFailed_REASON_OFFSET) }, 0, client.ErrUpdateOffset},
		"changed":            {func(u *updater) { u.send(0, 120_000); u.failed(pb.UpdateFailed_REASON_CHANGED) }, 100_000, client.ErrUpdateChanged},
		"cannot be read":     {func(u *updater) { u.send(0, 99_000); u.failed(pb.UpdateFailed_REASON_FAULT) }, 0, client.ErrUpdateFault},
		"a reason added":     {func(u *updater) { u.failed(77) }, 0, &client.UpdateError{Reason: 77}},
		"no reason":          {func(u *updater) { u.failed(0) }, 0, &client.UpdateError{Reason: codec.TransferEndCount}},
		"lost":               {func(u *updater) { u.send(0, 210_000) }, 200_000, client.ErrUpdateBroken},
		"silent":             {func(u *updater) { u.send(0, 210_000); u.until() }, 200_000, client.ErrUpdateBroken},
		"sent away":          {func(u *updater) { u.sendAway(pb.Result_RESULT_KICKED) }, 0, client.ErrKicked},
		"idle":               {func(u *updater) { u.sendAway(pb.Result_RESULT_IDLE) }, 0, client.ErrUpdateBroken},
		"a gap":              {func(u *updater) { u.data(1, file[1:9]) }, 0, client.ErrProtocol},
		"again":              {func(u *updater) { u.send(0, 120_000); u.data(0, file[:9]) }, 100_000, client.ErrProtocol},
		"nothing":            {func(u *updater) { u.data(0, nil) }, 0, client.ErrProtocol},
		"more than the size": {func(u *updater) { u.send(0, 456_000); u.data(456_000, make([]byte, 790)) }, 400_000, client.ErrProtocol},
		"sent too early": {func(u *updater) {
			u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_UpdateSent{UpdateSent: &pb.UpdateSent{}}})
		}, 0, client.ErrProtocol},
		"another offer": {func(u *updater) { u.offer(offerOf(file)) }, 0, client.ErrProtocol},
		"empty frame":   {func(u *updater) { u.tellFrame(&pb.ServerFrame{}) }, 0, client.ErrProtocol},
		"flipped":       {func(u *updater) { u.next = flipNext; u.send(0, 200_000) }, 0, client.ErrProtocol},
	} {
		bubble(t, name, func(t *testing.T) { _ = trouble(t, file, c.left, c.want, c.behave) })
	}
}

func (u *updater) sendAway(r pb.Result) {
	u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_Kicked{Kicked: &pb.Kicked{Result: r}}})
}

// A server that goes away under way says when to come back.
func TestUpdate_GoingAwayIsToldWithTheBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := someFile(456_789, 1)
		err := trouble(t, file, 100_000, client.ErrUpdateBroken, func(u *updater) {
			u.tellFrame(&pb.ServerFrame{Body: &pb.ServerFrame_GoingAway{GoingAway: &pb.GoingAway{ReconnectAfterMs: 5000}}})
			u.send(0, 150_000)
		})
		if away := (*client.RefusedError)(nil); !errors.As(err, &away) || away.RetryAfter != 5*time.Second {
			t.Errorf("got %v", err)
		}
	})
}

// The end of the context is told to the server, and what is right stays.
func TestUpdate_Cancelled(t *testing.T) {
	file := someFile(456_789, 1)
	for name, c := range map[string]struct{ sent, left uint64 }{"in line": {0, 0}, "under way": {310_000, 300_000}} {
		bubble(t, name, func(t *testing.T) {
			heard := make(chan *pb.ClientFrame, 1)
			f := updating(file, func(u *updater) {
				u.offer(offerOf(file))
				u.accepted()
				u.queued(3)
				u.send(0, c.sent)
				m := u.wanted()
				for m.GetUpdateReceived() != nil {
					m = u.wanted()
				}
				heard <- m
			})
			dir := t.TempDir()
			ctx, cancel := context.WithCancelCause(t.Context())
			reason := errors.New("the player has enough")
			_, err := f.offered(t, f.takingUpdates()).Download(ctx, client.DownloadOptions{Dir: dir, Progress: func(p client.UpdateProgress) {
				if p.Done >= c.sent && p.Position == 0 == (p.Phase == client.UpdateReceiving) {
					cancel(reason)
				}
			}})
			wantErr(t, err, reason)
			if m := <-heard; m.GetCancelUpdate() == nil {
				t.Errorf("the server heard %v", m)
			}
			files := map[string][]byte{}
			if c.left > 0 {
				files[updateName+".part"] = file[:c.left]
			}
			wantFiles(t, dir, files)
		})
	}
}

// A context that ends while a file is looked through takes nothing from it.
func TestUpdate_CancelledWhileChecking(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := someFile(456_789, 1)
		f := updating(file, func(u *updater) { u.offer(offerOf(file)); u.wanted() })
		ctx, cancel := context.WithCancel(t.Context())
		dir := folder(t, file[:400_000])
		_, err := f.offered(t, f.takingUpdates()).Download(ctx, client.DownloadOptions{Dir: dir, Progress: func(p client.UpdateProgress) {
			if p.Done > 0 {
				cancel()
			}
		}})
		wantErr(t, err, context.Canceled)
		wantFiles(t, dir, map[string][]byte{updateName + ".part": file[:400_000]})
	})
}

// An offer that nobody wants is declined, and one that is thought over is kept alive.
func TestUpdate_DeclinedAfterAWhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		heard, pings := make(chan *pb.ClientFrame, 1), 0
		f := updating(someFile(10, 1), func(u *updater) {
			u.offer(offerOf(u.file))
			m := u.wanted()
			pings = u.pings
			heard <- m
		})
		offer := f.offered(t, f.takingUpdates())
		time.Sleep(5*time.Minute + time.Second) // no ping is under way
		offer.Close()
		offer.Close()
		if m := <-heard; m.GetCancelUpdate() == nil || pings < 14 {
			t.Errorf("the server heard %v behind %d pings", m, pings)
		}
		_, err := offer.Download(t.Context(), client.DownloadOptions{Dir: t.TempDir()})
		wantErr(t, err, client.ErrClosed)
	})
}

func TestUpdate_TellsThePlaceInLine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var places []int
		f := updating(someFile(250_000, 1), func(u *updater) {
			u.offer(offerOf(u.file))
			u.accepted()
			u.queued(5)
			for u.pings < 100 { // half an hour
				u.onePing()
			}
			u.queued(1)
			u.serveFrom(0)
		})
		_, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: t.TempDir(), Progress: func(p client.UpdateProgress) {
			if p.Phase == client.UpdateInLine && p.Position > 0 {
				places = append(places, p.Position)
			}
		}})
		if err != nil || len(places) != 2 || places[0] != 5 || places[1] != 1 {
			t.Errorf("got %v, %v", places, err)
		}
	})
}

// Who does not say that updates are taken is not offered one, and does not take one.
func TestUpdate_OnlyWhoAsksForIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := updating(someFile(10, 1), (*updater).serve)
		_, err := f.login(t, f.options(), credentials())
		wantErr(t, err, client.ErrProtocol)
	})
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.at = func(p *peer, s step) verdict {
			if s == stepAccepted {
				p.refuse(codec.ResultVersionUpdate, 0)
				return hangUp
			}
			return proceed
		}
		_, err := f.login(t, f.options(), credentials())
		wantErr(t, err, client.ErrUpdate)
		if offer := (*client.UpdateOffer)(nil); errors.As(err, &offer) {
			t.Error("a refusal is an offer")
		}
	})
}
