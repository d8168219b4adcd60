package server

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"gatepass/codec"
)

func TestServer_Drain_RefusesNewConnectionsAndServesTheOpen(t *testing.T) {
	r := newRig(t, nil)
	client, handle := r.open()
	r.Drain()
	ends(t, r.dial(), nil)
	if st := r.settled(); st.RefusedDraining != 1 || st.Conns != 1 {
		t.Fatalf("refused %d, open %d, want 1 and 1", st.RefusedDraining, st.Conns)
	}
	write(t, client, frame("still here"))
	r.hears(handle, "still here")
	r.Queue().SendLast(handle, numbered(1))
	r.Queue().Flush()
	ends(t, client, numberedBytes(1))
}

// Close sends what is queued, tells the sinks about every end, sends nothing on Failed and
// leaves no goroutine.
func TestServer_Close_HandsOnWhatIsQueued(t *testing.T) {
	before := goleak.IgnoreCurrent()
	r := newRig(t, func(o *Options) { o.Reactors = 3 })
	clients, handles := r.openMany(300)
	big := make([]byte, 16<<10)
	for i, h := range handles {
		r.Queue().SendFrame(h, big)
		r.Queue().Send(h, numbered(uint32(i)))
	}
	r.Queue().Flush()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for i, c := range clients {
		says(t, c, big)
		ends(t, c, numberedBytes(uint32(i)))
	}
	for _, h := range handles {
		r.closedFor(h, codec.CloseLogic)
	}
	if st := r.Stats(); st.Conns != 0 || st.SendQueued != 0 {
		t.Errorf("%d connections and %d replies left", st.Conns, st.SendQueued)
	}
	goleak.VerifyNone(t, before)
	select {
	case err := <-r.Failed():
		t.Errorf("a server that was closed reports failure: %v", err)
	default:
	}
}

func TestServer_Close_IsIdempotentFromManyGoroutines(t *testing.T) {
	r := newRig(t, nil)
	r.open()
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if n := r.Conns(); n != 0 {
				t.Errorf("Close returned with %d connections open", n)
			}
		})
	}
	wg.Wait()
	if c, err := net.Dial("tcp", r.Addr().String()); err == nil {
		_ = c.Close()
		t.Error("a closed server takes connections")
	}
}

// Late calls on other goroutines find a closed server and do not crash.
func TestServer_Close_ResumeAndDrainAreHarmlessAfter(t *testing.T) {
	r := newRig(t, nil)
	r.open()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	r.Resume(0)
	r.Drain()
	r.Stats()
}

// A server that never started, or whose start failed, can be closed. Its owner cleans up that
// way.
func TestServer_Close_WithoutStart(t *testing.T) {
	first := newRig(t, nil)
	for name, start := range map[string]bool{"never": false, "failed": true} {
		s, err := New(Options{
			Listeners: listening(first.Addr().String()), Reactors: 2, Logger: slog.New(slog.DiscardHandler),
			Sink: func(int) Sink { return &inbox{} },
		})
		if err != nil {
			t.Fatal(err)
		}
		if start && s.Start() == nil {
			t.Fatal("the address is taken, yet it started")
		}
		done := make(chan error, 1)
		go func() { done <- s.Close() }()
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("start=%s: %v", name, err)
			}
		case <-time.After(patience):
			t.Fatalf("start=%s: Close hangs", name)
		}
	}
}

// The engine may end without a call of Close (see cap_test.go for how).
func TestServer_Failed_WhenTheEngineEndsByItself(t *testing.T) {
	r := newRig(t, nil)
	client, _ := r.open()
	if err := r.engine.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-r.Failed():
		if !errors.Is(err, ErrStopped) {
			t.Errorf("failed with %v, want ErrStopped", err)
		}
	case <-time.After(patience):
		t.Fatal("nobody was told")
	}
	gone(t, client)
	if err := r.Close(); err != nil {
		t.Errorf("closing what has ended already: %v", err)
	}
}

// SO_REUSEPORT, which the loops need, would let a second server silently take half of the
// first server's connections.
func TestServer_Start_SecondServerOnTheSameAddressIsRefused(t *testing.T) {
	first := newRig(t, func(o *Options) { o.Reactors = 2 })
	s, err := New(Options{
		Listeners: listening(first.Addr().String()), Reactors: 2, Logger: slog.New(slog.DiscardHandler),
		Sink: func(int) Sink { return &inbox{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	err = s.Start()
	if err == nil {
		t.Fatal("a second server listens on the same address")
	}
	for _, want := range []string{first.Addr().String(), "another process has it"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q does not say %q", err, want)
		}
	}
	first.works()
}

func TestServer_Start_AddressThatIsNotOurs(t *testing.T) {
	s, err := New(Options{
		Listeners: listening("192.0.2.1:0"), Reactors: 1, Logger: slog.New(slog.DiscardHandler), // TEST-NET-1
		Sink: func(int) Sink { return &inbox{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil || strings.Contains(err.Error(), "another process") {
		t.Fatalf("start: %v", err)
	}
}

// With port 0 every loop listens on the one port that was found.
func TestServer_Start_PortZeroWithSeveralReactors(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Reactors = 4 })
	if r.Addr().Port() == 0 {
		t.Fatal("no port was found")
	}
	r.openMany(200)
	for i, in := range r.sinks {
		if len(in.of(codec.KindOpened, 0)) == 0 {
			t.Errorf("reactor %d got none of 200 connections", i)
		}
	}
	if n := r.Stats().Accepted; n != 200 {
		t.Errorf("%d accepted", n)
	}
}

// An empty host listens on every address, of both families.
func TestServer_Start_EmptyHostIsEveryAddress(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Listeners = listening(":0") })
	port := r.Addr().String()[strings.LastIndex(r.Addr().String(), ":"):]
	for i, host := range []string{"127.0.0.1", "[::1]"} {
		c, err := net.Dial("tcp", host+port)
		if err != nil {
			if strings.HasPrefix(host, "[") && !hasIPv6() {
				if os.Getenv("CI") != "" {
					t.Fatal("CI must have IPv6 on its loopback")
				}
				t.Skip("no IPv6 on the loopback: sysctl net.ipv6.conf.lo.disable_ipv6=0")
			}
			t.Fatal(err)
		}
		defer c.Close()
		eventually(t, "the connection was taken", func() bool { return len(r.sinks[0].of(codec.KindOpened, 0)) == i+1 })
		if peer := r.sinks[0].of(codec.KindOpened, 0)[i].Peer; peer != c.LocalAddr().(*net.TCPAddr).AddrPort() {
			t.Errorf("peer %v, want %v", peer, c.LocalAddr())
		}
	}
}

func hasIPv6() bool {
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		return false
	}
	_ = l.Close()
	return true
}

func TestOptions_ValidateReportsAllFaults(t *testing.T) {
	o := Options{Listeners: []Listener{
		{Addr: "nowhere"}, {Addr: ":7"}, {Addr: "[::1]:7"}, {Addr: ":9", Protocol: speakFrames, Speaks: codec.ProtocolCount},
	}, MaxConns: 1 << 30, SendBound: 1, SendQueue: -1,
		Transfers: TransferOptions{Rate: -1, ClientRate: MaxTransferRate + 1, Stall: -1, Readers: MaxTransferReaders + 1}}
	err := o.Validate()
	if err == nil {
		t.Fatal("no fault found")
	}
	for _, want := range []string{`address "nowhere": address`, `"[::1]:7" has the port of ":7"`, `":9": a protocol`, "reactors", "max-conns", "RLIMIT_NOFILE", "send-bound", "send-queue", "sink",
		"transfers: rate", "transfers: client-rate", "transfers: stall", "transfers: readers"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not in: %v", want, err)
		}
	}
	if _, err := New(o); err == nil {
		t.Error("New takes options with faults")
	}
}

func TestOptions_EnsureDefaultsIsValid(t *testing.T) {
	o := Options{
		Listeners: listening(":0"), Reactors: codec.MaxReactors, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Sink: func(int) Sink { return &inbox{} },
	}
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		t.Fatal(err)
	}
	if o.MaxConns != FileLimit()-FileReserve || o.SendBound != DefaultSendBound || o.SendQueue != DefaultSendQueue {
		t.Errorf("defaults: %+v", o)
	}
}

// A server may start again at once on a port on which it has closed connections itself. These
// stay in TIME_WAIT for a minute.
func TestServer_Start_AgainOnAPortInTimeWait(t *testing.T) {
	first := newRig(t, nil)
	for range 3 {
		client, handle := first.open()
		first.Queue().Close(handle, codec.CloseLogic)
		first.Queue().Flush()
		gone(t, client)
	}
	addr := first.Addr().String()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	second := newRig(t, func(o *Options) { o.Listeners = listening(addr) })
	second.works()
}

// A new connection does not get the slot of a connection whose end the sink has not got yet.
func TestServer_Open_WaitsForWhatIsOwed(t *testing.T) {
	r := newRig(t, nil)
	client, handle := r.open()
	r.sinks[0].setRoom(0)
	_ = client.Close()
	eventually(t, "the end is owed", func() bool {
		owed := 0
		r.onReactor(0, func(re *reactor) { owed = len(re.owed) })
		return owed == 1
	})
	r.sinks[0].setRoom(-1) // room again, but Resume was not called yet
	gone(t, r.dial())
	if n := len(r.sinks[0].of(codec.KindOpened, 0)); n != 1 {
		t.Fatalf("%d connections were offered before the end of the first", n)
	}
	r.Resume(0)
	r.closedFor(handle, codec.ClosePeer)
	r.works()
}
