package client

import (
	"context"
	"crypto/subtle"
	"fmt"

	"gatepass/auth/keyschedule"
	pb "gatepass/codec/native/gatepasspb"
)

// Enter connects to the gate of the pass's world, proves the pass, checks the gate's proof,
// and waits in the queue until the player is in the world. Queue positions arrive as Events.
// A pass can be used once. The error is a *RefusedError if the gate refuses. After Enter has
// returned, the session may be closed.
func (s *Session) Enter(ctx context.Context, pass *Pass) (*Conn, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	s.gate.enter()
	conn, err := dial(ctx, s.o, pass.Address)
	if err != nil {
		s.gate.leave()
		return nil, err
	}
	l := newLink(conn, true, s.o.Timeout)
	if err := l.bounded(ctx, func(context.Context) error { return knock(s.o, l, pass) }); err != nil {
		l.close()
		s.gate.leave()
		return nil, err
	}
	c := newConn(l, pass, func(position int) { s.events.push(QueuePosition{pass.World, position}) })
	c.start(s.gate.leave)
	if err := c.admitted(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	s.events.push(Entered{pass.World})
	return c, nil
}

// knock is the gate handshake: it proves the pass to the gate and checks that the gate
// knows it from the login server.
func knock(o *Options, l *link, pass *Pass) error {
	var f pb.GateServerFrame
	if err := hearGate(l, &f); err != nil {
		return err
	}
	greeting := f.GetChallenge()
	if greeting.GetVersion() != protocolVersion || len(greeting.GetNonce()) != 32 {
		return fmt.Errorf("%w: not a gate's challenge", ErrProtocol)
	}
	if greeting.GetWorld() != uint32(pass.World) {
		return fmt.Errorf("%w: the gate is that of world %d", ErrProtocol, greeting.GetWorld())
	}
	k := keyschedule.Knock{World: pass.World, Pass: pass.id}
	k.Nonces.Server = [32]byte(greeting.GetNonce())
	if err := fill(o, k.Nonces.Client[:]); err != nil {
		return err
	}
	proof := k.ClientProof(&pass.key)
	hello := &pb.GateHello{
		Version: protocolVersion, Pass: pass.id[:], Nonce: k.Nonces.Client[:], Proof: proof[:], Build: uint32(o.Build),
	}
	if err := l.send(&pb.GateClientFrame{Body: &pb.GateClientFrame_Hello{Hello: hello}}); err != nil {
		return err
	}
	said := [32]byte(l.said)
	if err := hearGate(l, &f); err != nil {
		return err
	}
	accepted, expected := f.GetAccepted(), k.GateProof(&pass.key)
	if accepted == nil {
		return fmt.Errorf("%w: neither accepted nor refused", ErrProtocol)
	}
	if subtle.ConstantTimeCompare(accepted.GetProof(), expected[:]) != 1 {
		return ErrServerProof
	}
	toServer, toClient := k.Channel(&pass.key, &said)
	l.seal(&toServer, &toClient)
	return nil
}

// hearGate reads the gate's next message into f. A refusal is an error.
func hearGate(l *link, f *pb.GateServerFrame) error {
	f.Reset()
	if err := l.receive(f); err != nil {
		return err
	}
	switch m := f.GetBody().(type) {
	case *pb.GateServerFrame_Refused:
		return refused(m.Refused, l.sealed)
	case *pb.GateServerFrame_Kicked:
		return kicked(m.Kicked)
	case nil:
		return fmt.Errorf("%w: an empty message", ErrProtocol)
	}
	return nil
}
