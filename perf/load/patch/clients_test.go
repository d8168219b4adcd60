//go:build linux

package patch

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/perf/load/floor"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loadtest"
	"gatepass/perf/load/internal/protocol"
	"gatepass/perf/load/players"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// offering is what a server of grunt says at the proof that has the file to offer.
func offering(f *File) []byte {
	refusal := codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultVersionUpdate}
	return grunt.AppendTransferOffer(grunt.AppendProofReply(nil, grunt.Layout3, &refusal), &codec.TransferOffer{Size: f.Size, MD5: f.MD5})
}

// framed is the whole file in frames of at most most bytes.
func framed(t *testing.T, f *File, most int) []byte {
	t.Helper()
	rest, err := os.ReadFile(f.Path)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	for len(rest) > 0 {
		n := min(most, len(rest))
		if b, err = grunt.AppendTransferData(b, rest[:n]); err != nil {
			t.Fatal(err)
		}
		rest = rest[n:]
	}
	return b
}

// clients returns options for n clients with accounts of their own.
func clients(n int, byNative bool) Options {
	o := Options{Accounts: players.MakeAccounts(n), Count: n, Busy: 64, Build: grunt.Build1121, Timeout: time.Minute}
	if byNative {
		o.Native = players.NewNative(o.Accounts, false)
	}
	for i := range 16 {
		o.Sources = append(o.Sources, netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + i)}))
	}
	return o
}

// mustRun runs clients until done returns true, and returns them after their end.
func mustRun(t *testing.T, target netip.AddrPort, o Options, done func(*Clients) bool) *Clients {
	t.Helper()
	o.Target = target
	f, err := NewClients(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Start()
	defer f.Stop()
	loadtest.Await(t, func() bool { return done(f) })
	return f
}

// fullFrame is the length of a full frame of the file.
const fullFrame = protocol.GruntFrameHead + grunt.MaxTransferChunk

func TestClients_Errors_AreToldApart(t *testing.T) {
	file, other := mustPatch(t, 2<<20), mustPatch(t, 1<<20)
	challenge, offer, data := floor.NewCanned().Challenge, offering(file), framed(t, file, grunt.MaxTransferChunk)
	spoilt := bytes.Clone(data)
	spoilt[100_000] ^= 1
	gap := append(bytes.Clone(data[:fullFrame]), data[2*fullFrame:]...)
	cases := []struct {
		name     string
		handle   func(net.Conn)
		timeout  time.Duration
		checkers int
		want     counts.UpdateError
	}{
		{"closes in the middle", loadtest.CutOff(challenge, offer, data[:len(data)/2]), time.Minute, 2, counts.FaultClosed.UpdateError()},
		{"closes on those that skim", loadtest.CutOff(challenge, offer, data[:len(data)/2]), time.Minute, 0, counts.FaultClosed.UpdateError()},
		{"closes with an offer", loadtest.HangUp(challenge, offer), time.Minute, 0, counts.FaultClosed.UpdateError()},
		{"stops in the middle", loadtest.Script(challenge, offer, data[:len(data)/2]), 30 * time.Millisecond, 1, counts.FaultTimeout.UpdateError()},
		{"a byte is wrong", loadtest.Script(challenge, offer, spoilt), time.Minute, 2, counts.UpdateWrongContent},
		{"a frame is missing", loadtest.Script(challenge, offer, gap), time.Minute, 2, counts.UpdateWrongContent},
		{"more than the file", loadtest.Script(challenge, offer, append(bytes.Clone(data), data...)), time.Minute, 2, counts.NoUpdateError},
		{"another file", loadtest.Script(challenge, offering(other)), time.Minute, 0, counts.UpdateOtherFile},
		{"frames change", loadtest.Script(challenge, offer, append(data[:9*fullFrame:9*fullFrame], framed(t, file, 1000)...)), time.Minute, 0, counts.UpdateFrameLength},
		{"no frame", loadtest.Script(challenge, offer, []byte("HTTP")), time.Minute, 0, counts.FaultGarbage.UpdateError()},
		{"lets the client in", loadtest.Script(challenge, floor.NewCanned().Vanilla.Proof), time.Minute, 0, counts.UpdateLetIn},
		{"wrong password", loadtest.Script(challenge, []byte{1, 4}), time.Minute, 0, counts.UpdateRefused},
		{"refuses the name", loadtest.Script([]byte{0, 0, 4}), time.Minute, 0, counts.UpdateRefused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := clients(2, false)
			o.File, o.Checkers, o.Timeout = file, c.checkers, c.timeout
			f := mustRun(t, loadtest.Serve(t, c.handle), o, func(f *Clients) bool { return f.Failed.Load()+f.Whole.Load() >= 4 })
			if c.want == counts.NoUpdateError && f.Whole.Load() == 0 || c.want != counts.NoUpdateError && (f.Errors[c.want] == 0 || len(f.Errors) > 1) {
				t.Errorf("errors %v and %d files, want %q", f.Errors, f.Whole.Load(), c.want)
			}
		})
	}
}

func TestClients_NobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := l.Addr().(*net.TCPAddr).AddrPort()
	l.Close()
	o := clients(2, false)
	o.File = mustPatch(t, 1)
	f := mustRun(t, target, o, func(f *Clients) bool { return f.Failed.Load() > 2 })
	if f.Errors[counts.FaultConnect.UpdateError()] == 0 {
		t.Errorf("errors %v", f.Errors)
	}
}

// Frames that are smaller than those of other servers are accepted.
func TestClients_SmallFrames_AreTaken(t *testing.T) {
	file := mustPatch(t, 3<<20+5)
	all := framed(t, file, 700)
	o := clients(2, false)
	o.File, o.Checkers, o.IdleSleep = file, 1, 50*time.Microsecond
	f := mustRun(t, loadtest.Serve(t, loadtest.Script(floor.NewCanned().Challenge, offering(file), all)), o, func(f *Clients) bool { return f.Whole.Load() >= 6 })
	if len(f.Errors) > 0 || f.Bytes.Load() < 6*file.Size*99/100 || f.Checked.Load() < file.Size {
		t.Errorf("errors %v, %d bytes, %d compared", f.Errors, f.Bytes.Load(), f.Checked.Load())
	}
}

func TestClients_Stalled_TakesOneFrameAndNoticesTheEnd(t *testing.T) {
	file := mustPatch(t, 16<<20)
	data := framed(t, file, grunt.MaxTransferChunk)
	gone := make(chan struct{})
	target := loadtest.Serve(t, func(conn net.Conn) {
		script := loadtest.CutOff(floor.NewCanned().Challenge, offering(file))
		script(conn)
		var b [1]byte
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			return
		}
		_, _ = conn.Write(data[:fullFrame+9])
		<-gone
	})
	o := clients(5, false)
	o.Target, o.File, o.Stall = target, file, true
	f, err := NewClients(o)
	if err != nil {
		t.Fatal(err)
	}
	f.Start()
	defer f.Stop()
	loadtest.Await(t, func() bool { return f.Offered.Load() == 5 })
	if n := f.Bytes.Load(); n != 0 {
		t.Errorf("%d bytes came before the offer was accepted", n)
	}
	f.AcceptOffers()
	loadtest.Await(t, func() bool { return f.Started.Load() == 5 })
	if n := f.Bytes.Load(); n != 5*grunt.MaxTransferChunk {
		t.Errorf("%d bytes were taken, want a frame of each", n)
	}
	close(gone)
	loadtest.Await(t, func() bool { return f.Dropped.Load() == 5 && f.Started.Load() == 0 })
}
