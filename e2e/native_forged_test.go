package e2e

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	native "gatepass/client"
	wire "gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

// forgery is what somebody in between does to sealed frames. It gets a client's next
// frames, as many as it wants, and returns what goes out.
type forgery struct {
	name string
	do   func(next func() []byte) []byte
}

var forgeries = []forgery{
	{"flips a bit of the text", func(next func() []byte) []byte { b := next(); b[5] ^= 1; return b }},
	{"flips a bit of the tag", func(next func() []byte) []byte { b := next(); b[len(b)-1] ^= 0x80; return b }},
	{"cuts", func(next func() []byte) []byte {
		b := next()
		b[0]--
		return b[:len(b)-1]
	}},
	{"adds", func(next func() []byte) []byte {
		b := next()
		b[0]++
		return append(b, 0)
	}},
	{"repeats", func(next func() []byte) []byte { b := next(); return append(b, b...) }},
	{"swaps", func(next func() []byte) []byte { a, b := next(), next(); return append(b, a...) }},
	{"leaves out", func(next func() []byte) []byte { next(); return next() }},
	{"sends in the clear", func(next func() []byte) []byte {
		next()
		body, _ := proto.Marshal(ping(1)) // nothing in it can fail
		return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
	}},
}

// TestNative_Forged: a sealed frame that was changed, repeated, left out or moved
// ends its connection, is counted, and does nothing else.
func TestNative_Forged(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	g.addNative("bea", "secret")
	bystander := wireSignIn(t, g.said["native"], who{"BEA", "secret"})
	forged := func() float64 { return g.metric("gatepass_connections_forged_total") }
	for i, f := range forgeries {
		t.Run(f.name, func(t *testing.T) {
			w := wireSignIn(t, g.said["native"], who{"ANA", "secret"})
			w.mustPong()
			w.write(f.do(func() []byte { return w.frame(ping(1)) }))
			checkRejected(t, w.mustClose())
			if n := forged(); n != float64(i+1) {
				t.Errorf("%v are counted, %d were", n, i+1)
			}
		})
	}
	// What one connection has sealed is nothing to another one of the same account.
	first := wireSignIn(t, g.said["native"], who{"ANA", "secret"})
	second := wireSignIn(t, g.said["native"], who{"ANA", "secret"})
	second.write(first.frame(ping(1)))
	checkRejected(t, second.mustClose())

	bystander.mustPong()
	if n := forged(); n != float64(len(forgeries)+1) {
		t.Errorf("%v are counted, %d were", n, len(forgeries)+1)
	}
	g.healthy()
}

// TestNative_ForgedAtTheGate: the same on the way into a world, and whoever plays
// there stays.
func TestNative_ForgedAtTheGate(t *testing.T) {
	t.Parallel()
	r := newNativeRegion(t, "ana", "bea")
	r.mustSignIn("ana") // and with it the world is known
	enter := func(name string) *wireClient {
		w := wireSignIn(t, r.server.said["native"], who{name, "secret"}).mustKnock(1)
		w.untilGate("entry", func(f *pb.GateServerFrame) bool { return f.GetEntered() != nil })
		return w
	}
	gatePing := &pb.GateClientFrame{Body: &pb.GateClientFrame_Ping{Ping: &pb.Ping{Number: 5}}}
	bystander := enter("BEA")
	for i, f := range forgeries {
		w := enter("ANA")
		w.write(f.do(func() []byte { return w.frame(gatePing) }))
		w.mustHangUp()
		if n := r.world.metric("gatepass_gate_native_broken_total"); n != float64(i+1) {
			t.Errorf("%s: %v are counted, %d were", f.name, n, i+1)
		}
	}
	bystander.send(gatePing)
	bystander.untilGate("answer", func(f *pb.GateServerFrame) bool { return f.GetPong().GetNumber() == 5 })
	if n := r.world.metric("gatepass_gate_panics_total"); n != 0 {
		t.Errorf("%v panics", n)
	}
}

// spoiler dials connections of which it flips a bit of what comes next when armed.
type spoiler struct {
	net.Dialer
	armed atomic.Bool
}

type spoiledConn struct {
	net.Conn
	spoiler *spoiler
}

func (s *spoiler) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := s.Dialer.DialContext(ctx, network, address)
	return spoiledConn{conn, s}, err
}

func (c spoiledConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if n > 0 && c.spoiler.armed.CompareAndSwap(true, false) {
		b[n-1] ^= 1
	}
	return n, err
}

// TestNative_ForgedToTheClient: a client believes nothing that was changed on its way
// from the server, and comes back by another connection.
func TestNative_ForgedToTheClient(t *testing.T) {
	t.Parallel()
	r := newNativeRegion(t, "ana")
	between, o := new(spoiler), guestOptions()
	o.Dialer = between
	s, err := signIn(t, r.server.said["native"], native.Credentials{Account: "ana", Password: "secret"}, o)
	must(t, err)
	s.sees("online", 1, hasStatus(native.StatusOnline))
	between.armed.Store(true)
	if err := s.Release(within20(t)); !errors.Is(err, native.ErrAway) {
		t.Errorf("an answer that was changed: %v", err)
	}
	event(s, "news of the loss", func(e native.Disconnected) bool { return errors.Is(e.Reason, native.ErrProtocol) })
	event(s, "its return", anyOf[native.Reconnected])
	s.sees("online", 1, hasStatus(native.StatusOnline))
	r.reaches(s.mustEnter(1))
}

// checkRejected wants the server's last word to be about the protocol.
func checkRejected(t testing.TB, last *pb.ServerFrame) {
	t.Helper()
	if last.GetRefused().GetResult() != pb.Result_RESULT_PROTOCOL && last.GetKicked().GetResult() != pb.Result_RESULT_PROTOCOL {
		t.Errorf("the last word was %v", last)
	}
}

// mustHangUp wants a gate's connection to end.
func (w *wireClient) mustHangUp() {
	w.t.Helper()
	for {
		var f pb.GateServerFrame
		if err := w.read(&f); hungUp(err) {
			return
		} else if err != nil {
			w.t.Fatalf("the gate does not close: %v", err)
		}
	}
}

// clearFrame puts a length in front of a body.
func clearFrame(body ...byte) []byte {
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// TestNative_Garbage: what is no sign-in ends its connection, whatever it is and
// however slowly it comes, at the login server and at a gate.
func TestNative_Garbage(t *testing.T) {
	g, demos := startNative(t, shortLimits...)
	g.addNative("ana", "secret")
	g.addNative("bea", "secret")
	bystander := wireSignIn(t, g.said["native"], who{"BEA", "secret"})
	gate := nativeGate(bystander, demos[1].id)
	signIn := dialWire(t, g.said["native"], false)
	good := signIn.frame(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{
		Version: 1, Account: "BEA", Nonce: make([]byte, 32), Build: nativeBuild,
	}}})
	proof := signIn.frame(&pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{PasswordProof: &pb.PasswordProof{
		PublicKey: make([]byte, 256), Proof: make([]byte, 32),
	}}})
	for name, b := range map[string][]byte{
		"length 0":              clearFrame(),
		"one byte too long":     binary.LittleEndian.AppendUint32(nil, 1025),
		"4 GiB":                 {0xff, 0xff, 0xff, 0xff},
		"noise":                 clearFrame(bytes.Repeat([]byte{0xee}, 300)...),
		"no body that is known": clearFrame(0xfa, 0x01, 0x00),
		"another protocol":      vanilla.hello(0x00, "BEA"),
		"a proof first":         proof,
		"a ping first":          signIn.frame(ping(1)),
		"a sign-in twice":       append(bytes.Clone(good), good...),
		"group element 0":       append(bytes.Clone(good), proof...),
	} {
		for at, addr := range map[string]string{"login server": g.said["native"], "gate": gate} {
			t.Run(name+" at a "+at, func(t *testing.T) { mustEndWith(t, addr, b) })
		}
	}
	// A gate takes ten seconds to lose its patience; its own tests need no clock.
	for name, b := range map[string][]byte{"nothing": nil, "half a length": good[:2], "half a frame": good[:len(good)/2]} {
		t.Run(name, func(t *testing.T) { mustEndWith(t, g.said["native"], b) })
	}
	bystander.mustPong()
	if n := g.metric("gatepass_connections_forged_total"); n != 0 {
		t.Errorf("%v are counted as forged", n)
	}
	g.healthy()
}

// nativeGate is where a world's native clients connect.
func nativeGate(w *wireClient, world byte) string {
	w.t.Helper()
	w.send(&pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: &pb.SelectWorld{World: uint32(world)}}})
	return w.until("pass", func(f *pb.ServerFrame) bool { return f.GetPassIssued() != nil }).GetPassIssued().Address
}

// mustEndWith sends bytes on a connection of their own, and wants the peer to hang up,
// whatever it says before.
func mustEndWith(t testing.TB, addr string, b []byte) {
	t.Helper()
	w := dialWire(t, addr, false)
	if _, err := w.conn.Write(b); err != nil && !hungUp(err) {
		t.Fatal(err)
	}
	w.conn.SetReadDeadline(time.Now().Add(patience))
	for b := make([]byte, 4096); ; {
		if _, err := w.conn.Read(b); hungUp(err) {
			return
		} else if err != nil {
			t.Fatalf("it does not hang up: %v", err)
		}
	}
}

// TestNative_SealedGarbage: whoever is signed in and breaks the protocol goes, and is
// told so.
func TestNative_SealedGarbage(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	sealed := map[string]proto.Message{
		"an empty frame":      &pb.ClientFrame{},
		"a second sign-in":    &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: &pb.SignIn{Version: 1}}},
		"a code nobody asked": &pb.ClientFrame{Body: &pb.ClientFrame_FactorCode{FactorCode: &pb.FactorCode{Code: "1234"}}},
		"a short verifier": &pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{RememberDevice: &pb.RememberDevice{
			Verifier: make([]byte, 31),
		}}},
		"a long name": &pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{RememberDevice: &pb.RememberDevice{
			Verifier: make([]byte, 32), Name: string(bytes.Repeat([]byte("x"), 65)),
		}}},
		"a frame too long": &pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{RememberDevice: &pb.RememberDevice{
			Name: string(bytes.Repeat([]byte("x"), wire.MaxLoginBody)),
		}}},
	}
	for name, m := range sealed {
		t.Run(name, func(t *testing.T) {
			w := wireSignIn(t, g.said["native"], who{"ANA", "secret"})
			w.send(m)
			checkRejected(t, w.mustClose())
		})
	}
	g.healthy()
}

// TestNative_NeverReads: a client that asks and asks and reads no answer is dropped
// before it has cost much, and nobody waits for it.
func TestNative_NeverReads(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	g.addNative("bea", "secret")
	bystander := wireSignIn(t, g.said["native"], who{"BEA", "secret"})
	w := wireSignIn(t, g.said["native"], who{"ANA", "secret"})
	begin, asked := time.Now(), 0
	for {
		var b []byte
		for range 1000 {
			b = append(b, w.frame(ping(1<<62))...)
		}
		w.conn.SetWriteDeadline(time.Now().Add(patience))
		if _, err := w.conn.Write(b); hungUp(err) || errors.Is(err, syscall.EPIPE) {
			break
		} else if err != nil {
			t.Fatalf("after %d pings in %v: %v", asked, time.Since(begin), err)
		}
		asked += 1000
		if asked%50_000 == 0 {
			bystander.mustPong()
		}
	}
	t.Logf("dropped after %d pings in %v", asked, time.Since(begin))
	bystander.mustPong()
	g.healthy()
}
