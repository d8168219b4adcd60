//go:build linux

package load

import (
	"bytes"
	"context"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/codec/grunt"
)

// offering is what a server of grunt says at the proof that has the file to offer.
func offering(f *PatchFile) []byte {
	refusal := codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultVersionUpdate}
	return grunt.AppendTransferOffer(grunt.AppendProofReply(nil, grunt.Layout3, &refusal), &codec.TransferOffer{Size: f.Size, MD5: f.MD5})
}

// framed is the whole file in frames of at most most bytes.
func framed(t *testing.T, f *PatchFile, most int) []byte {
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

// mustFleet lets two clients, of whom the first checks, take the file until they have
// reached what done says, and returns them at their end.
func mustFleet(t *testing.T, target Target, o fleetOptions, done func(*fleet) bool) *fleet {
	t.Helper()
	o.Target, o.Busy = target, signingIn
	if o.Clients.Accounts == nil {
		o.Clients = takers(2, false)
	}
	o.Takers = len(o.Clients.Accounts)
	setDefault(&o.Clients.Timeout, time.Minute)
	o.Clients.ensureDefaults()
	f, err := newFleet(o)
	if err != nil {
		t.Fatal(err)
	}
	f.start()
	defer f.stop()
	await(t, func() bool { return done(f) })
	return f
}

func TestFleet_Mishaps_AreToldApart(t *testing.T) {
	file, other := mustPatch(t, 2<<20), mustPatch(t, 1<<20)
	challenge, offer, data := newCanned().challenge, offering(file), framed(t, file, grunt.MaxTransferChunk)
	spoilt := bytes.Clone(data)
	spoilt[100_000] ^= 1
	gap := append(bytes.Clone(data[:floorFrame]), data[2*floorFrame:]...)
	cases := []struct {
		name     string
		handle   func(net.Conn)
		timeout  time.Duration
		checkers int
		want     mishap
	}{
		{"closes in the middle", cutOff(challenge, offer, data[:len(data)/2]), time.Minute, 2, FaultClosed.mishap()},
		{"closes on those that skim", cutOff(challenge, offer, data[:len(data)/2]), time.Minute, 0, FaultClosed.mishap()},
		{"closes with an offer", hangUp(challenge, offer), time.Minute, 0, FaultClosed.mishap()},
		{"stops in the middle", script(challenge, offer, data[:len(data)/2]), 30 * time.Millisecond, 1, FaultTimeout.mishap()},
		{"a byte is wrong", script(challenge, offer, spoilt), time.Minute, 2, mishapContent},
		{"a frame is missing", script(challenge, offer, gap), time.Minute, 2, mishapContent},
		{"more than the file", script(challenge, offer, append(bytes.Clone(data), data...)), time.Minute, 2, noMishap},
		{"another file", script(challenge, offering(other)), time.Minute, 0, mishapOffer},
		{"frames change", script(challenge, offer, append(data[:9*floorFrame:9*floorFrame], framed(t, file, 1000)...)), time.Minute, 0, mishapFrames},
		{"no frame", script(challenge, offer, []byte("HTTP")), time.Minute, 0, FaultGarbage.mishap()},
		{"lets the client in", script(challenge, newCanned().vanilla.proof), time.Minute, 0, mishapLetIn},
		{"wrong password", script(challenge, []byte{1, 4}), time.Minute, 0, mishapRefused},
		{"refuses the name", script([]byte{0, 0, 4}), time.Minute, 0, mishapRefused},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			o := fleetOptions{File: file, Checkers: c.checkers, Clients: takers(2, false)}
			o.Clients.Timeout = c.timeout
			f := mustFleet(t, mustServe(t, c.handle), o, func(f *fleet) bool { return f.failed.Load()+f.whole.Load() >= 4 })
			if c.want == noMishap && f.whole.Load() == 0 || c.want != noMishap && (f.mishaps[c.want] == 0 || len(f.mishaps) > 1) {
				t.Errorf("mishaps %v and %d files, want %q", f.mishaps, f.whole.Load(), c.want)
			}
		})
	}
}

func TestFleet_NobodyListens(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	target := Target{Addr: l.Addr().(*net.TCPAddr).AddrPort()}
	l.Close()
	f := mustFleet(t, target, fleetOptions{File: mustPatch(t, 1)}, func(f *fleet) bool { return f.failed.Load() > 2 })
	if f.mishaps[FaultConnect.mishap()] == 0 {
		t.Errorf("mishaps %v", f.mishaps)
	}
}

// Frames that are smaller than others send are no fault.
func TestFleet_SmallFrames_AreTaken(t *testing.T) {
	file := mustPatch(t, 3<<20+5)
	all := framed(t, file, 700)
	f := mustFleet(t, mustServe(t, script(newCanned().challenge, offering(file), all)),
		fleetOptions{File: file, Checkers: 1, Doze: 50 * time.Microsecond}, func(f *fleet) bool { return f.whole.Load() >= 6 })
	if len(f.mishaps) > 0 || f.bytes.Load() < 6*file.Size*99/100 || f.checked.Load() < file.Size {
		t.Errorf("mishaps %v, %d bytes, %d compared", f.mishaps, f.bytes.Load(), f.checked.Load())
	}
}

func TestFleet_Stalled_TakesOneFrameAndNoticesTheEnd(t *testing.T) {
	file := mustPatch(t, 16<<20)
	data := framed(t, file, grunt.MaxTransferChunk)
	gone := make(chan struct{})
	target := mustServe(t, func(conn net.Conn) {
		script := cutOff(newCanned().challenge, offering(file))
		script(conn)
		var b [1]byte
		if _, err := io.ReadFull(conn, b[:]); err != nil {
			return
		}
		_, _ = conn.Write(data[:floorFrame+9])
		<-gone
	})
	o := fleetOptions{File: file, Stall: true, Clients: takers(5, false)}
	o.Clients.ensureDefaults()
	o.Target, o.Takers, o.Busy = target, 5, signingIn
	f, err := newFleet(o)
	if err != nil {
		t.Fatal(err)
	}
	f.start()
	defer f.stop()
	await(t, func() bool { return f.offered.Load() == 5 })
	if n := f.bytes.Load(); n != 0 {
		t.Errorf("%d bytes came before the offer was accepted", n)
	}
	f.accept.Store(true)
	f.poll.wake()
	await(t, func() bool { return f.started.Load() == 5 })
	if n := f.bytes.Load(); n != 5*grunt.MaxTransferChunk {
		t.Errorf("%d bytes were taken, want a frame of each", n)
	}
	close(gone)
	await(t, func() bool { return f.dropped.Load() == 5 && f.started.Load() == 0 })
}

func TestPatchReport_Text_ShowsAllParts(t *testing.T) {
	file := mustPatch(t, 2<<20)
	floor := mustPatchFloor(t, file)
	o := ThroughputOptions{
		Clients: takers(4, false), Floor: &floor, File: file, Takers: 4, Checkers: 1,
		Warmup: time.Millisecond, Duration: 20 * time.Millisecond, Times: 1,
	}
	o.EnsureDefaults()
	sent, err := RunThroughput(context.Background(), floor, o, nil)
	if err != nil {
		t.Fatal(err)
	}
	logins := MakeAccounts(20)
	beside := BesideOptions{
		Clients: takers(4, false), File: file, Takers: 4, Limit: 100 << 20, Times: 2,
		Login: LoginOptions{Clients: Clients{Accounts: logins}, Rate: 500, Warmup: time.Millisecond, Duration: 20 * time.Millisecond},
	}
	// A floor cannot do both: it offers the file to clients of the new build too, to which that is garbage.
	run, err := RunBeside(context.Background(), floor, beside, nil)
	if err != nil {
		t.Fatal(err)
	}
	report := NewPatchReport(&o.Clients, file)
	report.Patch.Throughput, report.Patch.Beside = sent.Report(&o), run.Report(&beside)
	report.Patch.Stalled = (&StalledRun{Wanted: 2, Offered: 2, Held: 2, After: 8192, KernelBefore: 4096, mishaps: mishaps{mishapContent: 1}}).Report()
	var text, json strings.Builder
	if err := report.Text(&text); err != nil {
		t.Fatal(err)
	}
	if err := report.JSON(&json); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"patch, build 5875, a file of 2 MiB", "throughput, 4 clients", "one core sends", "whole files", "2 of 2", "4096", "wrong content",
		"beside them 4 clients were sent", "of 100.0 MiB/s", "median", "garbage",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("the text does not say %q:\n%s", want, text.String())
		}
	}
	if !strings.Contains(json.String(), `"rss_bytes_per_transfer": 4096`) || strings.Contains(json.String(), "socket_bytes") {
		t.Errorf("JSON: %s", json.String())
	}
}
