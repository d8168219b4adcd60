package server

import (
	"fmt"
	"log/slog"
	"net"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"gatepass/codec"
)

// loud is frames with every reply sent twice.
type loud struct{ frames }

func (l *loud) Append(dst []byte, r *codec.Reply) ([]byte, error) {
	dst, _ = l.frames.Append(dst, r)
	return l.frames.Append(dst, r)
}

// two returns two listeners with different protocols.
func two(first, second string) []Listener {
	return []Listener{
		{Addr: first, Speaks: codec.ProtocolGrunt, Protocol: speakFrames},
		{Addr: second, Speaks: codec.ProtocolNative, Protocol: func() Session { return &loud{} }},
	}
}

func TestServer_Listeners_EachSpeaksItsOwnProtocol(t *testing.T) {
	for name, addr := range map[string]string{"one-address": "127.0.0.1:0", "every-address": ":0"} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, func(o *Options) { o.Reactors, o.Listeners = 2, two(addr, addr) })
			if r.AddrOf(0) != r.Addr() || r.AddrOf(0).Port() == r.AddrOf(1).Port() {
				t.Fatalf("addresses %v and %v", r.AddrOf(0), r.AddrOf(1))
			}
			for range 8 { // on each reactor
				for i, want := range []codec.Protocol{codec.ProtocolGrunt, codec.ProtocolNative} {
					client, handle := r.openAt(fmt.Sprintf("127.0.0.1:%d", r.AddrOf(i).Port()))
					opened := r.sinks[handle.Reactor()].of(codec.KindOpened, handle)
					if len(opened) != 1 || opened[0].Protocol != want {
						t.Fatalf("listener %d: opened %d times, as %v", i, len(opened), opened[0].Protocol)
					}
					r.Queue().SendLast(handle, numbered(9))
					r.Queue().Flush()
					ends(t, client, []byte(strings.Repeat(string(numberedBytes(9)), i+1)))
				}
			}
		})
	}
}

func TestServer_Listeners_ShareTheCap(t *testing.T) {
	r := newRig(t, func(o *Options) { o.MaxConns, o.Listeners = 2, two("127.0.0.1:0", "127.0.0.1:0") })
	r.openAt(r.AddrOf(0).String())
	r.openAt(r.AddrOf(1).String())
	for i := range 2 {
		ends(t, r.dialAt(r.AddrOf(i).String()), nil)
	}
	if st := r.settled(); st.RefusedFull != 2 || st.Conns != 2 {
		t.Fatalf("refused %d, open %d, want 2 and 2", st.RefusedFull, st.Conns)
	}
}

func TestServer_Listeners_DrainAndCloseAll(t *testing.T) {
	before := goleak.IgnoreCurrent()
	r := newRig(t, func(o *Options) { o.Reactors, o.Listeners = 3, two("127.0.0.1:0", "127.0.0.1:0") })
	var clients []*net.TCPConn
	for i := range 2 {
		client, handle := r.openAt(r.AddrOf(i).String())
		clients = append(clients, client)
		defer r.closedFor(handle, codec.CloseLogic)
	}
	r.Drain()
	for i := range 2 {
		ends(t, r.dialAt(r.AddrOf(i).String()), nil)
	}
	if st := r.settled(); st.RefusedDraining != 2 || st.Conns != 2 {
		t.Fatalf("refused %d, open %d, want 2 and 2", st.RefusedDraining, st.Conns)
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	for i, client := range clients {
		ends(t, client, nil)
		if c, err := net.Dial("tcp", r.AddrOf(i).String()); err == nil {
			_ = c.Close()
			t.Errorf("listener %d of a closed server takes connections", i)
		}
	}
	goleak.VerifyNone(t, before)
}

// When one address is in use, the other one is released.
func TestServer_Listeners_OneThatIsTaken(t *testing.T) {
	first := newRig(t, nil)
	s, err := New(Options{
		Listeners: two("127.0.0.1:0", first.Addr().String()), Reactors: 1, Logger: slog.New(slog.DiscardHandler),
		Sink: func(int) Sink { return &inbox{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Start(); err == nil || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Fatalf("start: %v", err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	first.works()
}
