package e2e

import (
	"bytes"
	"math"
	"net"
	"slices"
	"testing"
	"time"

	pb "gatepass/codec/native/gatepasspb"
)

// TestUpdate_OutOfPlace: what belongs to a transfer ends the connection where there is
// none, and in a transfer everything else does.
func TestUpdate_OutOfPlace(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 2<<20)
	g := startPatched(t, setup{}, f, wayVanilla)
	list, answers := []byte{0x10, 0, 0, 0, 0}, [][]byte{acceptFile, resumeFile(0), resumeFile(math.MaxUint64), cancelFile}
	offered := func(c *client) { c.offered(demo, f) }
	sending := func(c *client) {
		c.offered(demo, f)
		c.send(acceptFile)
		c.frames(1)
	}
	proof := vanilla.proofMessage([32]byte{1}, [20]byte{2})[:74]
	stages := []struct {
		name  string
		e     edition
		reach func(c *client)
		wrong [][]byte
	}{
		{"connected", aged, func(*client) {}, answers},
		{"challenged", aged, func(c *client) { c.challenged(demo) }, answers},
		{"in", vanilla, func(c *client) { c.mustLogin(demo) }, answers},
		{"at the list", vanilla, func(c *client) { c.mustLogin(demo); c.worlds() }, answers},
		{"offered", aged, offered, [][]byte{
			list, proof, aged.hello(0x00, demo.name), aged.hello(0x02, demo.name), f.offer()[2:], {0x31, 1, 0, 7}, {0x35}, {0xff},
			resumeFile(uint64(len(f.content)) + 1),
		}},
		{"sending", aged, sending, [][]byte{
			acceptFile, resumeFile(5), list, aged.hello(0x00, demo.name), {0x31, 1, 0, 7}, {0xff}, bytes.Repeat(acceptFile, 100_000),
		}},
	}
	for _, s := range stages {
		for _, wrong := range s.wrong {
			c := dialNarrow(t, g.grunt, s.e)
			s.reach(c)
			_, _ = c.conn.Write(wrong) // the server may close in the middle of it
			if came := c.rest(); s.name != "sending" && len(came) > 0 || len(came) > len(f.content)/2 {
				t.Errorf("%s: % x… is answered by %d bytes", s.name, wrong[:1], len(came))
			}
			c.close()
		}
	}
	// All at once: who has not seen the offer cannot have answered it.
	for _, behind := range [][]byte{acceptFile, resumeFile(0), cancelFile, bytes.Repeat(cancelFile, 1000)} {
		c := dial(t, g.grunt, aged)
		c.send(slices.Concat(c.challenged(demo).proof, behind))
		if came := c.rest(); len(came) > len(f.offer()) {
			t.Errorf("% x… behind the proof is answered by %d bytes", behind[:1], len(came))
		}
	}
	g.untilIdle()
	g.healthy()
}

// wireOffered signs in by a build that is too old, and takes the offer.
func wireOffered(t testing.TB, addr string, account who) (*wireClient, *pb.UpdateOffered) {
	t.Helper()
	w := dialWire(t, addr, false)
	w.prove(w.challengedAs(account, &pb.SignIn{Build: oldBuild, TakesUpdates: true}))
	w.accepted()
	return w, w.until("offer", func(f *pb.ServerFrame) bool { return f.GetUpdateOffered() != nil }).GetUpdateOffered()
}

func acceptUpdate(offset uint64, window uint32) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{AcceptUpdate: &pb.AcceptUpdate{Offset: offset, Window: window}}}
}

func updateReceived(offset uint64) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_UpdateReceived{UpdateReceived: &pb.UpdateReceived{Offset: offset}}}
}

func cancelUpdate() *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_CancelUpdate{CancelUpdate: &pb.CancelUpdate{}}}
}

// data takes the file up to an offset at least.
func (w *wireClient) data(from uint64, upTo int) (came []byte) {
	w.t.Helper()
	for len(came) < upTo {
		d := w.until("data", func(f *pb.ServerFrame) bool { return f.GetUpdateData() != nil }).GetUpdateData()
		if d.Offset != from+uint64(len(came)) || len(d.Data) == 0 {
			w.t.Fatalf("%d bytes at %d behind %d of them from %d", len(d.Data), d.Offset, len(came), from)
		}
		came = append(came, d.Data...)
	}
	return came
}

// TestUpdate_NativeOutOfPlace: the same for native clients, who also say what they have
// received: no more than was sent, and never less than before.
func TestUpdate_NativeOutOfPlace(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 1<<20)
	g := startNativePatched(t, setup{}, f, "ana")
	ana := who{"ANA", "secret"}
	in := func(t testing.TB) *wireClient { return wireSignIn(t, g.said["native"], ana) }
	offered := func(t testing.TB) *wireClient {
		w, _ := wireOffered(t, g.said["native"], ana)
		return w
	}
	sending := func(t testing.TB) *wireClient {
		w := offered(t)
		w.send(acceptUpdate(0, narrow))
		w.data(0, 20_000)
		return w
	}
	pick := &pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: &pb.SelectWorld{World: 1}}}
	for _, c := range []struct {
		name  string
		reach func(t testing.TB) *wireClient
		wrong []*pb.ClientFrame
	}{
		{"accept when in", in, []*pb.ClientFrame{acceptUpdate(0, narrow)}},
		{"receive when in", in, []*pb.ClientFrame{updateReceived(0)}},
		{"cancel when in", in, []*pb.ClientFrame{cancelUpdate()}},
		{"receive when offered", offered, []*pb.ClientFrame{updateReceived(0)}},
		{"pick when offered", offered, []*pb.ClientFrame{pick}},
		{"accept twice", sending, []*pb.ClientFrame{acceptUpdate(0, narrow)}},
		{"accept twice at once", offered, []*pb.ClientFrame{acceptUpdate(0, narrow), acceptUpdate(0, narrow)}},
		{"pick when sending", sending, []*pb.ClientFrame{pick}},
		{"receive beyond", sending, []*pb.ClientFrame{updateReceived(narrow + 1)}},
		{"receive everything", sending, []*pb.ClientFrame{updateReceived(1 << 20)}},
		{"receive far beyond", sending, []*pb.ClientFrame{updateReceived(math.MaxUint64)}},
		{"receive backwards", sending, []*pb.ClientFrame{updateReceived(20_000), updateReceived(19_999)}},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := c.reach(t)
			for _, wrong := range c.wrong {
				w.send(wrong)
			}
			checkRejected(t, w.mustClose())
		})
	}
	early := dialWire(t, g.said["native"], false)
	early.send(acceptUpdate(0, narrow))
	early.mustClose()

	beyond := offered(t)
	beyond.send(acceptUpdate(1<<20+1, narrow))
	if last := beyond.mustClose(); last.GetUpdateFailed().GetReason() != pb.UpdateFailed_REASON_OFFSET {
		t.Errorf("beyond the end: %v", last)
	}
	cancelled := sending(t)
	cancelled.send(cancelUpdate())
	if last := cancelled.mustClose(); last != nil && last.GetUpdateData() == nil {
		t.Errorf("behind a cancel: %v", last)
	}
	g.untilIdle()
	g.healthy()
}

// TestUpdate_NativeWindow: windows that are too small or too large count as the least
// and the most, and the server never goes beyond.
func TestUpdate_NativeWindow(t *testing.T) {
	t.Parallel()
	const frame = 16_348 // a window is filled by whole ones
	f := newPatchFile(t, 1<<20)
	g := startNativePatched(t, setup{}, f, "ana")
	for _, c := range []struct {
		window uint32
		ahead  int // how much comes before anything is acknowledged
	}{{0, narrow / frame * frame}, {1, narrow / frame * frame}, {100_000, 6 * frame}, {math.MaxUint32, 1 << 20}} {
		w, offer := wireOffered(t, g.said["native"], who{"ANA", "secret"})
		w.send(acceptUpdate(0, c.window))
		got := w.data(0, c.ahead)
		if len(got) != c.ahead {
			t.Errorf("window %d: %d bytes came ahead", c.window, len(got))
		}
		w.mustPong() // and nothing more before it
		for len(got) < int(offer.Size) {
			w.send(updateReceived(uint64(len(got))))
			got = append(got, w.data(uint64(len(got)), min(narrow/frame*frame, int(offer.Size)-len(got)))...)
		}
		if !bytes.Equal(got, f.content) {
			t.Fatalf("window %d: not the file", c.window)
		}
		w.send(updateReceived(offer.Size))
		if last := w.mustClose(); last.GetUpdateSent() == nil {
			t.Errorf("window %d: at the end came %v", c.window, last)
		}
	}
	g.untilOutcome("update-done", 4)
	g.untilIdle()
	g.healthy()
}

// TestUpdate_NativeTalk: a file and answers share a connection frame by frame, also where
// the client has little room and frames are cut.
func TestUpdate_NativeTalk(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 4<<20)
	g := startNativePatched(t, setup{}, f, "ana")
	w, offer := wireOffered(t, g.said["native"], who{"ANA", "secret"})
	must(t, w.conn.(*net.TCPConn).SetReadBuffer(16<<10))
	w.send(acceptUpdate(0, math.MaxUint32))
	var got []byte
	said, heard := uint64(0), uint64(0)
	for len(got) < int(offer.Size) || heard < said {
		if len(got) < int(offer.Size) && said-heard < 100 {
			said++
			w.send(ping(said))
		}
		switch m := w.hear().GetBody().(type) {
		case *pb.ServerFrame_UpdateData:
			if m.UpdateData.Offset != uint64(len(got)) {
				t.Fatalf("data at %d, not %d", m.UpdateData.Offset, len(got))
			}
			got = append(got, m.UpdateData.Data...)
		case *pb.ServerFrame_Pong:
			if heard++; m.Pong.Number != heard {
				t.Fatalf("pong %d, not %d", m.Pong.Number, heard)
			}
		default:
			t.Fatalf("%v came", m)
		}
	}
	if !bytes.Equal(got, f.content) {
		t.Fatal("not the file")
	}
	t.Logf("%d pongs between the data", heard)
	w.send(updateReceived(offer.Size))
	if last := w.mustClose(); last.GetUpdateSent() == nil {
		t.Errorf("at the end came %v", last)
	}

	// Who asks and asks and takes nothing is not kept answers for.
	deaf, _ := wireOffered(t, g.said["native"], who{"ANA", "secret"})
	must(t, deaf.conn.(*net.TCPConn).SetReadBuffer(16<<10))
	deaf.send(acceptUpdate(0, math.MaxUint32))
	deaf.conn.SetWriteDeadline(time.Now().Add(patience))
	for i := uint64(1); ; i++ {
		if _, err := deaf.conn.Write(deaf.frame(ping(i))); err != nil {
			if !hungUp(err) {
				t.Errorf("it may go on asking: %v", err)
			}
			break
		}
	}
	g.untilIdle()
	g.healthy()
}
