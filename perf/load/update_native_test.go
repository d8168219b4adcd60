//go:build linux

package load

import (
	"context"
	"os"
	"slices"
	"testing"
	"time"

	"gatepass/codec"
)

// nativeUpdate is what a nativeServer brings its clients up to date with.
type nativeUpdate struct {
	file *PatchFile
	data []byte
	// cut closes connections when so many bytes are sent, spoil changes the byte there,
	// fail says that the file cannot be sent; 0 and false: none of it.
	cut, spoil int
	fail       bool
}

// sending is what one connection has sent of it, and what of that has arrived.
type sending struct {
	sent, acked int
	window      int
	acks        int
}

func (c *nativeConn) offer() bool {
	f := c.update.file
	return c.say(codec.Reply{
		Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: f.Size, MD5: f.MD5},
		Native: &codec.NativeReply{Update: &codec.UpdateOffer{
			From: c.hello.Hello.Build, To: c.hello.Hello.Build + 1, SHA256: f.SHA256, ChunkSize: uint32(f.Size),
			Hashes: f.SHA256[:], Name: "patch", Steps: 1, Total: f.Size,
		}},
	})
}

// transfer takes what a client says of the file, and sends on.
func (c *nativeConn) transfer(m *codec.Message) bool {
	if m.Kind == codec.KindTransferResume {
		c.sending.window = int(m.Window)
		if c.update.fail {
			return c.say(codec.Reply{Kind: codec.ReplyTransferFailed, Ended: codec.TransferFault})
		}
		if !c.say(codec.Reply{Kind: codec.ReplyTransferQueued, Number: 1}) {
			return false
		}
	} else {
		c.sending.acks++
		if int(m.Number) > c.sending.sent || int(m.Number) < c.sending.acked {
			return false // it was not sent that much
		}
		c.sending.acked = int(m.Number)
	}
	if c.sending.acked == len(c.update.data) {
		return c.say(codec.Reply{Kind: codec.ReplyTransferDone})
	}
	return c.sendOn()
}

// sendOn sends as much as the window has room for.
func (c *nativeConn) sendOn() bool {
	s, frame := &c.sending, c.session.FileFrame()
	var out []byte
	for s.sent < len(c.update.data) {
		n := min(frame.Data, len(c.update.data)-s.sent)
		if s.sent+n-s.acked > s.window {
			break
		}
		at := len(out)
		out = append(out, make([]byte, frame.Size())...)
		copy(out[at+frame.Head:], c.update.data[s.sent:s.sent+n])
		out = out[:at+c.session.FrameFile(out[at:], uint64(s.sent), n)]
		s.sent += n
	}
	_, err := c.Write(out)
	return err == nil && (c.update.cut == 0 || s.sent < c.update.cut)
}

// mustUpdates serves a native file until the test ends.
func mustUpdates(t *testing.T, c *Clients, u *nativeUpdate) Target {
	t.Helper()
	var err error
	if u.data, err = os.ReadFile(u.file.Path); err != nil {
		t.Fatal(err)
	}
	if u.spoil > 0 {
		u.data[u.spoil] ^= 1
	}
	_, target := mustNative(t, c.Native, func(s *nativeServer) { s.update = u })
	return target
}

func TestFleet_Native_AcknowledgesWhatItSkims(t *testing.T) {
	for _, size := range []uint64{1, 16348, 16349, 5<<20 + 77} {
		c := takers(3, true)
		u := &nativeUpdate{file: mustPatch(t, size)}
		f := mustFleet(t, mustUpdates(t, &c, u), fleetOptions{File: u.file, Checkers: 1, Clients: c},
			func(f *fleet) bool { return f.whole.Load() >= 5 || f.failed.Load() > 0 })
		if len(f.mishaps) > 0 || f.checked.Load() == 0 || f.bytes.Load() < 5*size*99/100 {
			t.Errorf("%d bytes: mishaps %v, %d bytes came, %d compared", size, f.mishaps, f.bytes.Load(), f.checked.Load())
		}
	}
}

func TestFleet_Native_Mishaps(t *testing.T) {
	file := mustPatch(t, 3<<20)
	for _, c := range []struct {
		name     string
		update   nativeUpdate
		checkers int
		want     []mishap
	}{
		// Acknowledgements that nobody read make a reset of an end.
		{"closes in the middle", nativeUpdate{cut: 2 << 20}, 1, []mishap{FaultClosed.mishap(), FaultReset.mishap()}},
		{"a byte is wrong", nativeUpdate{spoil: 1 << 20}, 2, []mishap{mishapContent}},
		{"says that it failed", nativeUpdate{fail: true}, 0, []mishap{mishapFailed}},
	} {
		t.Run(c.name, func(t *testing.T) {
			clients := takers(2, true)
			u := c.update
			u.file = file
			f := mustFleet(t, mustUpdates(t, &clients, &u), fleetOptions{File: file, Checkers: c.checkers, Clients: clients},
				func(f *fleet) bool { return f.failed.Load() >= 2 })
			for what := range f.mishaps {
				if !slices.Contains(c.want, what) {
					t.Errorf("%s, want %q", what, c.want)
				}
			}
		})
	}
}

func TestFleet_Native_ServerThatOffersNothing(t *testing.T) {
	c := takers(2, true)
	_, target := mustNative(t, c.Native, nil)
	f := mustFleet(t, target, fleetOptions{File: mustPatch(t, 1), Clients: c}, func(f *fleet) bool { return f.failed.Load() > 0 })
	if f.mishaps[mishapLetIn] == 0 {
		t.Errorf("mishaps %v, want %q", f.mishaps, mishapLetIn)
	}
}

func TestRunStalled_Native_HoldsThemAll(t *testing.T) {
	c := takers(20, true)
	u := &nativeUpdate{file: mustPatch(t, 2000)} // as much as fits into what a client takes
	collected := 0
	o := StalledOptions{
		Clients: c, File: u.file, Transfers: 20, Settle: time.Millisecond, Hold: time.Millisecond,
		Collect: func(context.Context) error { collected++; return nil },
	}
	run, err := RunStalled(context.Background(), mustUpdates(t, &c, u), o, nil)
	if err != nil {
		t.Fatal(err)
	}
	if run.Held != 20 || len(run.mishaps) > 0 || collected < 3 {
		t.Errorf("%d held, mishaps %v, %d collections", run.Held, run.mishaps, collected)
	}
}
