package gate

import (
	"fmt"
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/auth/keyschedule"
	"gatepass/codec"
	"gatepass/worlds"
)

// The script commands for native clients.

func passKeyOf(t *testing.T, d *datadriven.TestData) [32]byte {
	key := keyOf(t, d)
	return [32]byte(key[:])
}

// stepOffer makes a login server offer a pass; "size" makes it one of another protocol.
func stepOffer(e *scenario, t *testing.T, d *datadriven.TestData) {
	_, p := e.login(t, d)
	key, size, stamp := keyOf(t, d), 32, 1
	d.MaybeScanArgs(t, "size", &size)
	d.MaybeScanArgs(t, "stamp", &stamp)
	secret := worlds.NewSecret(key[:size])
	if err := p.Offer(passOf(t, d), account(t, d), worlds.Stamp(stamp), e.core.self, &secret); err != nil {
		e.say("%v", err)
	}
	e.deliver()
}

// stepHandshake makes a client show a pass, with the proof that it has its key.
func stepHandshake(e *scenario, t *testing.T, d *datadriven.TestData) {
	conn, build := handle(t, d), 5875
	d.MaybeScanArgs(t, "build", &build)
	k := handshake{key: passKeyOf(t, d), transcript: [32]byte{3}}
	k.World, k.Pass = 7, passOf(t, d)
	k.Nonces = keyschedule.Nonces{Client: [32]byte{9}, Server: e.nonces[conn]}
	e.handshakes[conn] = k
	m := codec.Message{Kind: codec.KindGateHello, Conn: conn, Native: &codec.NativeMessage{
		Pass: k.Pass, Nonce: k.Nonces.Client, Proof: k.ClientProof(&k.key), Transcript: k.transcript,
	}}
	m.Hello.Build = uint16(build)
	if d.HasArg("wrong") {
		m.Native.Proof[31] ^= 1
	}
	e.core.client(&m)
	e.settle()
	e.deliver()
}

// checkGate checks the gate's proof and keys as the client does.
func (e *scenario) checkGate(conn codec.Conn, n *codec.NativeReply) {
	k := e.handshakes[conn]
	toServer, toClient := k.Channel(&k.key, &k.transcript)
	if n.Proof != k.GateProof(&k.key) || n.Keys.ToServer != toServer || n.Keys.ToClient != toClient {
		e.say("%d does not believe the gate", conn.Slot())
	}
}

// stepArrive runs a native client's whole admission: pass, connection, proof. The pass
// has the number of the connection.
func stepArrive(e *scenario, t *testing.T, d *datadriven.TestData) {
	class := 0
	d.MaybeScanArgs(t, "class", &class)
	e.classes[account(t, d).String()] = Class(class)
	conn := d.CmdArgs[0].Vals[0]
	d.CmdArgs = append(d.CmdArgs, datadriven.CmdArg{Key: "pass", Vals: []string{conn}}, datadriven.CmdArg{Key: "native"})
	stepOffer(e, t, d)
	stepOpen(e, t, d)
	stepHandshake(e, t, d)
}

func stepPing(e *scenario, t *testing.T, d *datadriven.TestData) {
	n := uint64(0)
	d.ScanArgs(t, "n", &n)
	e.core.client(&codec.Message{Kind: codec.KindPing, Conn: handle(t, d), Number: n})
}

// stepSay makes a native client send a packet of the game.
func stepSay(e *scenario, t *testing.T, d *datadriven.TestData) {
	n := &codec.NativeMessage{Body: []byte(d.Input)}
	var opcode string
	d.ScanArgs(t, "opcode", &opcode)
	if _, err := fmt.Sscanf(opcode, "%x", &n.Opcode); err != nil {
		t.Fatal(err)
	}
	e.core.client(&codec.Message{Kind: codec.KindGamePacket, Conn: handle(t, d), Native: n})
}

// nativeText returns the text of a reply to a native client.
func nativeText(r *codec.Reply) string {
	switch r.Kind {
	case codec.ReplyGateChallenge:
		return fmt.Sprintf("challenge of world %d", r.Number)
	case codec.ReplyRefused, codec.ReplyKicked:
		return fmt.Sprintf("%v %v", r.Kind, r.Result)
	case codec.ReplyGamePacket:
		return fmt.Sprintf("packet %03x % x", r.Native.Opcode, r.Native.Body)
	case codec.ReplyGateAccepted:
		return "accepted"
	}
	return fmt.Sprintf("%v %d", r.Kind, r.Number)
}
