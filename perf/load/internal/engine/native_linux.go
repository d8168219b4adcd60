package engine

import (
	"bytes"
	"encoding/binary"

	"google.golang.org/protobuf/encoding/protowire"

	"gatepass/codec"
	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/protocol"
)

// Native clients have the same phases as grunt clients. Their challenge is for a password
// or for a token. They do not request the list: the server sends it after the login, and
// then its changes.

// assignPlayer gives a native client a player that is not in use, unless the login is to fail.
func (e *Engine) assignPlayer(c *client) {
	if c.native == nil {
		c.native = new(protocol.NativeConn)
	}
	*c.native = protocol.NativeConn{}
	for c.attempt.Plan == counts.PlanRight {
		if p := e.o.Players[c.attempt.Index]; !p.InUse {
			p.InUse = true
			e.playersInUse++
			c.native.Player, c.native.ByToken = p, e.o.Native.ByToken && p.Device.Known
			return
		}
		c.attempt = e.accounts.Next() // one player is free, otherwise no login begins
	}
}

// playerFree reports whether a player is free.
func (e *Engine) playerFree() bool { return e.native == nil || e.playersInUse < len(e.o.Players) }

// releasePlayer frees the player of a native client.
func (e *Engine) releasePlayer(c *client) {
	if c.native == nil || c.native.Player == nil {
		return
	}
	c.native.Player.InUse = false
	c.native.Player = nil
	e.playersInUse--
}

// appendHello writes the first message of a login.
func (e *Engine) appendHello(dst []byte, c *client) []byte {
	if e.native == nil {
		return e.accounts.AppendChallenge(dst, c.attempt, e.o.Build)
	}
	return e.native.AppendSignIn(dst, c.native, e.accounts.Name(c.attempt))
}

// stepNative processes every complete frame in the buffer.
func (e *Engine) stepNative(c *client) (counts.Fault, bool) {
	for c.got >= native.HeaderSize {
		size := native.HeaderSize + int(binary.LittleEndian.Uint32(c.buf))
		if size > native.HeaderSize+native.MaxServerBody+native.SealSize {
			return counts.FaultGarbage, false
		}
		if c.got < size {
			c.reserve(size)
			return noFault, true
		}
		generation := c.generation
		if fault, ok := e.onFrame(c, c.buf[:size]); !ok {
			return fault, false
		}
		if c.phase == phaseFree || c.generation != generation {
			return noFault, true
		}
		c.got = copy(c.buf, c.buf[size:c.got])
	}
	return noFault, true
}

// onFrame processes one frame.
func (e *Engine) onFrame(c *client, frame []byte) (counts.Fault, bool) {
	body, err := c.native.Body(frame)
	if err != nil {
		return counts.FaultGarbage, false
	}
	if c.phase == phaseHeld {
		e.onNativePush(c, body)
		return noFault, true
	}
	m, err := e.native.Parse(body)
	if err != nil {
		return counts.FaultGarbage, false
	}
	switch c.phase {
	case phaseChallenge:
		return e.onNativeChallenge(c, m, body)
	case phaseProof:
		return e.onNativeResult(c, m)
	}
	return e.onNativeList(c, m)
}

// onNativeChallenge answers the challenge with a proof.
func (e *Engine) onNativeChallenge(c *client, m *pb.ServerFrame, body []byte) (counts.Fault, bool) {
	now := e.endPart(c, counts.PartChallenge)
	ok := false
	switch b := m.Body.(type) {
	case *pb.ServerFrame_PasswordChallenge:
		asked := protocol.PasswordRequest{PasswordChallenge: b.PasswordChallenge, Body: body, Name: e.accounts.Name(c.attempt)}
		e.out, ok = e.native.AppendPasswordProof(e.out[:0], c.native, &asked)
	case *pb.ServerFrame_TokenChallenge:
		if c.native.ByToken {
			e.out, ok = e.native.AppendTokenProof(e.out[:0], c.native, b.TokenChallenge, body)
		}
	case *pb.ServerFrame_Refused:
		return e.onRefusal(c, codec.Result(b.Refused.Result), now)
	}
	if !ok {
		return counts.FaultGarbage, false
	}
	c.phase, c.since = phaseProof, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onNativeResult processes the result of the proof and checks the server's own proof.
func (e *Engine) onNativeResult(c *client, m *pb.ServerFrame) (counts.Fault, bool) {
	now := e.endPart(c, counts.PartProof)
	switch b := m.Body.(type) {
	case *pb.ServerFrame_Refused:
		return e.onRefusal(c, codec.Result(b.Refused.Result), now)
	case *pb.ServerFrame_Accepted:
		if c.attempt.Plan != counts.PlanRight {
			return counts.FaultAccepted, false
		}
		if !e.native.CheckAccepted(c.native, b.Accepted.Proof) {
			return counts.FaultProof, false
		}
		c.phase, c.since = phaseList, now
		return noFault, true
	}
	return counts.FaultGarbage, false
}

// onNativeList processes the messages between the server's proof and the end of the login,
// which is the first list, or the token where one was requested.
func (e *Engine) onNativeList(c *client, m *pb.ServerFrame) (counts.Fault, bool) {
	switch b := m.Body.(type) {
	case *pb.ServerFrame_WorldSnapshot:
		if e.o.RequestToken && !c.native.Player.Device.Known {
			e.out = e.native.AppendRemember(e.out[:0], c.native)
			e.send(c, e.out)
			return noFault, true
		}
		e.listDone(c, e.endPart(c, counts.PartList))
	case *pb.ServerFrame_Remembered:
		if !c.native.StoreToken(b.Remembered) {
			return counts.FaultGarbage, false
		}
		e.listDone(c, e.endPart(c, counts.PartList))
	case *pb.ServerFrame_Refused, *pb.ServerFrame_FactorWanted, *pb.ServerFrame_Kicked, *pb.ServerFrame_GoingAway:
		return counts.FaultRefused, false
	}
	return noFault, true
}

// pushedMessage is the last message that a held client received, with what it says about the
// watched world. Most held clients receive the same message, which is parsed once.
type pushedMessage struct {
	body          []byte
	about, online bool
}

// onNativePush processes a message to a held client. It looks for the watched world in it.
func (e *Engine) onNativePush(c *client, body []byte) {
	if bytes.HasPrefix(body, pongTag) {
		e.lists.Add(1)
		return
	}
	if e.o.Watch == nil {
		return
	}
	if !bytes.Equal(body, e.pushed.body) {
		e.pushed.body = append(e.pushed.body[:0], body...)
		e.pushed.online, e.pushed.about = e.o.Watch.readNative(body)
	}
	if e.pushed.about {
		e.recordSighting(c, e.pushed.online)
	}
}

// pongTag is the first bytes of a Pong: its tag in the envelope.
var pongTag = protowire.AppendTag(nil, 34, protowire.BytesType)

// ping sends a held client's sign of life. The answer is counted as a received list, and
// the client does not wait for it.
func (e *Engine) ping(c *client) {
	e.out = e.native.AppendPing(e.out[:0], c.native)
	e.send(c, e.out)
}
