package e2e

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"io"
	"net"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	wire "gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

// wireClient is a native client that has every frame in its hands before it goes out,
// to spoil it. It belongs to one goroutine and fails its test by itself.
type wireClient struct {
	t    testing.TB
	who  who
	conn net.Conn
	said wire.Transcript
	// out and in are there once it is sealed.
	out, in wire.Direction
	sealed  bool
	last    []byte // the body that was read last
	nonces  keyschedule.Nonces
	srp     *srp6a.Client
	session [32]byte
}

func dialWire(t testing.TB, addr string, atGate bool) *wireClient {
	t.Helper()
	conn, err := net.DialTimeout("tcp", addr, patience)
	must(t, err)
	t.Cleanup(func() { _ = conn.Close() })
	return &wireClient{t: t, conn: conn, said: wire.NewTranscript(atGate)}
}

// frame is the next frame as it would go out.
func (w *wireClient) frame(m proto.Message) []byte {
	w.t.Helper()
	body, err := proto.Marshal(m)
	must(w.t, err)
	if w.sealed {
		return w.out.Seal(nil, body)
	}
	w.said.Add(body)
	return append(binary.LittleEndian.AppendUint32(nil, uint32(len(body))), body...)
}

// write sends bytes, whatever they are.
func (w *wireClient) write(b []byte) {
	w.t.Helper()
	w.conn.SetWriteDeadline(time.Now().Add(patience))
	_, err := w.conn.Write(b)
	must(w.t, err)
}

func (w *wireClient) send(m proto.Message) {
	w.t.Helper()
	w.write(w.frame(m))
}

// read takes the next frame.
func (w *wireClient) read(m proto.Message) error {
	w.conn.SetReadDeadline(time.Now().Add(patience))
	frame := make([]byte, 4)
	if _, err := io.ReadFull(w.conn, frame); err != nil {
		return err
	}
	frame = append(frame, make([]byte, binary.LittleEndian.Uint32(frame))...)
	if _, err := io.ReadFull(w.conn, frame[4:]); err != nil {
		return err
	}
	body := frame[4:]
	if w.sealed {
		var err error
		if body, err = w.in.Open(frame); err != nil {
			return err
		}
	}
	w.last = body
	return proto.Unmarshal(body, m)
}

// hear takes the login server's next frame.
func (w *wireClient) hear() *pb.ServerFrame {
	w.t.Helper()
	var f pb.ServerFrame
	must(w.t, w.read(&f))
	return &f
}

// until takes frames of the login server up to the one that is wanted.
func (w *wireClient) until(what string, wanted func(*pb.ServerFrame) bool) *pb.ServerFrame {
	w.t.Helper()
	for {
		var f pb.ServerFrame
		if err := w.read(&f); err != nil {
			w.t.Fatalf("%s: no %s: %v", w.who.name, what, err)
		}
		if wanted(&f) {
			return &f
		}
	}
}

// challenged asks for a challenge.
func (w *wireClient) challenged(account who) *pb.PasswordChallenge {
	w.t.Helper()
	return w.challengedAs(account, &pb.SignIn{Build: nativeBuild})
}

// challengedAs asks for one with more to say of the client.
func (w *wireClient) challengedAs(account who, hello *pb.SignIn) *pb.PasswordChallenge {
	w.t.Helper()
	w.who = account
	rand.Read(w.nonces.Client[:])
	hello.Version, hello.Account, hello.Nonce, hello.Device = 1, account.name, w.nonces.Client[:], bytes.Repeat([]byte{7}, 16)
	w.send(&pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: hello}})
	var f pb.ServerFrame
	must(w.t, w.read(&f))
	c := f.GetPasswordChallenge()
	if c == nil {
		w.t.Fatalf("no challenge but %v", &f)
	}
	w.said.Add(w.last)
	w.nonces.Server = [32]byte(c.Nonce)
	return c
}

// prove answers a challenge.
func (w *wireClient) prove(c *pb.PasswordChallenge) {
	w.t.Helper()
	var random [32]byte
	rand.Read(random[:])
	w.srp = srp6a.NewClient(srp6a.NewIdentity(w.who.name, w.who.password), &random)
	ch := srp6a.Challenge{Salt: [32]byte(c.Salt), B: c.PublicKey}
	ch.Group = srp6a.Group(c.Group)
	ch.KDF = srp6a.KDF{MemoryKiB: c.Kdf.MemoryKib, Passes: c.Kdf.Passes, Lanes: c.Kdf.Lanes}
	public, proof, err := w.srp.Respond(&ch)
	must(w.t, err)
	w.send(&pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{PasswordProof: &pb.PasswordProof{PublicKey: public, Proof: proof[:]}}})
}

// accepted checks the server's proof and seals the connection.
func (w *wireClient) accepted() {
	w.t.Helper()
	proof := [32]byte(w.hear().GetAccepted().GetProof())
	must(w.t, w.srp.CheckServer(&proof))
	keys := keyschedule.Password(w.srp.Secret(), &w.nonces, (*[32]byte)(&w.said))
	w.out, w.in, w.session = wire.NewDirection(&keys.ToServer), wire.NewDirection(&keys.ToClient), keys.Session
	w.sealed = true
}

// wireSignIn signs in and has the list of worlds.
func wireSignIn(t testing.TB, addr string, account who) *wireClient {
	t.Helper()
	w := dialWire(t, addr, false)
	w.prove(w.challenged(account))
	w.accepted()
	w.until("list of worlds", func(f *pb.ServerFrame) bool { return f.GetWorldSnapshot() != nil })
	return w
}

// mustKnock picks a world and shows the pass at its gate.
func (w *wireClient) mustKnock(world uint8) *wireClient {
	w.t.Helper()
	w.send(&pb.ClientFrame{Body: &pb.ClientFrame_SelectWorld{SelectWorld: &pb.SelectWorld{World: uint32(world)}}})
	pass := w.until("pass", func(f *pb.ServerFrame) bool { return f.GetPassIssued() != nil }).GetPassIssued()
	g := dialWire(w.t, pass.Address, true)
	var f pb.GateServerFrame
	must(w.t, g.read(&f))
	g.said.Add(g.last)
	k := keyschedule.Knock{World: world, Pass: [16]byte(pass.Pass)}
	rand.Read(k.Nonces.Client[:])
	k.Nonces.Server = [32]byte(f.GetChallenge().GetNonce())
	key := keyschedule.PassKey(&w.session, world, &k.Pass)
	proof := k.ClientProof(&key)
	g.send(&pb.GateClientFrame{Body: &pb.GateClientFrame_Hello{Hello: &pb.GateHello{
		Version: 1, Pass: pass.Pass, Nonce: k.Nonces.Client[:], Proof: proof[:], Build: nativeBuild,
	}}})
	must(w.t, g.read(&f))
	if want := k.GateProof(&key); !bytes.Equal(f.GetAccepted().GetProof(), want[:]) {
		w.t.Fatalf("not accepted: %v", &f)
	}
	toServer, toClient := k.Channel(&key, (*[32]byte)(&g.said))
	g.out, g.in, g.sealed = wire.NewDirection(&toServer), wire.NewDirection(&toClient), true
	return g
}

// untilGate takes frames of a gate up to the one that is wanted.
func (w *wireClient) untilGate(what string, wanted func(*pb.GateServerFrame) bool) {
	w.t.Helper()
	for {
		var f pb.GateServerFrame
		if err := w.read(&f); err != nil {
			w.t.Fatalf("no %s: %v", what, err)
		}
		if wanted(&f) {
			return
		}
	}
}

func ping(number uint64) *pb.ClientFrame {
	return &pb.ClientFrame{Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{Number: number}}}
}

// mustPong wants an answer.
func (w *wireClient) mustPong() {
	w.t.Helper()
	w.send(ping(99))
	w.until("answer", func(f *pb.ServerFrame) bool { return f.GetPong().GetNumber() == 99 })
}

// mustClose wants the connection to end, and returns what the server said last.
func (w *wireClient) mustClose() (last *pb.ServerFrame) {
	w.t.Helper()
	for {
		var f pb.ServerFrame
		err := w.read(&f)
		switch {
		case err == nil:
			last = &f
		case hungUp(err):
			return last
		default:
			w.t.Fatalf("the server does not close: %v", err)
		}
	}
}
