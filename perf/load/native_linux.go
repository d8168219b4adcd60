package load

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	"gatepass/codec"
	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

// Native clients go the same way as others: the challenge is for the password or the
// token, and instead of the list that others ask for they wait for the one that they
// are sent unasked. Once held they are told what changes.

// sit gives a native client its player, unless its role is to be somebody else.
func (e *engine) sit(c *client) {
	if c.talk == nil {
		c.talk = new(talk)
	}
	*c.talk = talk{}
	for c.role.plan == PlanRight {
		if p := e.o.Players[c.role.who]; !p.playing {
			p.playing = true
			e.playing++
			c.talk.player, c.talk.byToken = p, e.o.Native.byToken && p.device.known
			return
		}
		c.role = e.cast.next() // one of them is free, or none would begin
	}
}

// seat tells whether a player is free to begin.
func (e *engine) seat() bool { return e.tongue == nil || e.playing < len(e.o.Players) }

// rise lets go of a native client's player.
func (e *engine) rise(c *client) {
	if c.talk == nil || c.talk.player == nil {
		return
	}
	c.talk.player.playing = false
	c.talk.player = nil
	e.playing--
}

// appendHello writes the first message of a client, in its protocol.
func (e *engine) appendHello(dst []byte, c *client) []byte {
	if e.tongue == nil {
		return e.cast.appendChallenge(dst, c.role, e.o.Build)
	}
	return e.tongue.appendSignIn(dst, c.talk, e.cast.name(c.role))
}

// stepNative takes every whole frame that is there.
func (e *engine) stepNative(c *client) (Fault, bool) {
	for c.got >= native.HeaderSize {
		size := native.HeaderSize + int(binary.LittleEndian.Uint32(c.buf))
		if size > native.HeaderSize+native.MaxServerBody+native.SealSize {
			return FaultGarbage, false
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

// onFrame takes one frame.
func (e *engine) onFrame(c *client, frame []byte) (Fault, bool) {
	body := frame[native.HeaderSize:]
	if c.talk.open {
		var err error
		if body, err = c.talk.toUs.Open(frame); err != nil {
			return FaultGarbage, false
		}
	}
	if c.phase == phaseHeld {
		e.onNews(c, body)
		return noFault, true
	}
	m := &e.tongue.frame
	if err := proto.Unmarshal(body, m); err != nil {
		return FaultGarbage, false
	}
	switch c.phase {
	case phaseChallenge:
		return e.onAsked(c, m, body)
	case phaseProof:
		return e.onAccepted(c, m)
	}
	return e.onTold(c, m)
}

// onAsked answers the challenge.
func (e *engine) onAsked(c *client, m *pb.ServerFrame, body []byte) (Fault, bool) {
	now := e.lap(c, PartChallenge)
	ok := false
	switch b := m.Body.(type) {
	case *pb.ServerFrame_PasswordChallenge:
		asked := passwordAsked{PasswordChallenge: b.PasswordChallenge, body: body, name: e.cast.name(c.role)}
		e.out, ok = e.tongue.appendPasswordProof(e.out[:0], c.talk, &asked)
	case *pb.ServerFrame_TokenChallenge:
		if c.talk.byToken {
			e.out, ok = e.tongue.appendTokenProof(e.out[:0], c.talk, b.TokenChallenge, body)
		}
	case *pb.ServerFrame_Refused:
		return e.onRefusal(c, codec.Result(b.Refused.Result), now)
	}
	if !ok {
		return FaultGarbage, false
	}
	c.phase, c.since = phaseProof, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onAccepted takes the server's word about the proof, and its own.
func (e *engine) onAccepted(c *client, m *pb.ServerFrame) (Fault, bool) {
	now := e.lap(c, PartProof)
	switch b := m.Body.(type) {
	case *pb.ServerFrame_Refused:
		return e.onRefusal(c, codec.Result(b.Refused.Result), now)
	case *pb.ServerFrame_Accepted:
		if c.role.plan != PlanRight {
			return FaultAccepted, false
		}
		if !e.tongue.accepted(c.talk, b.Accepted.Proof) {
			return FaultProof, false
		}
		c.phase, c.since = phaseList, now
		return noFault, true
	}
	return FaultGarbage, false
}

// onTold takes what comes behind the server's proof, up to the first list or the token.
func (e *engine) onTold(c *client, m *pb.ServerFrame) (Fault, bool) {
	switch b := m.Body.(type) {
	case *pb.ServerFrame_WorldSnapshot:
		if e.o.Enrol && !c.talk.player.device.known {
			e.out = e.tongue.appendRemember(e.out[:0], c.talk)
			e.send(c, e.out)
			return noFault, true
		}
		e.listDone(c, e.lap(c, PartList))
	case *pb.ServerFrame_Remembered:
		if !c.talk.remembered(b.Remembered) {
			return FaultGarbage, false
		}
		e.listDone(c, e.lap(c, PartList))
	case *pb.ServerFrame_Refused, *pb.ServerFrame_FactorWanted, *pb.ServerFrame_Kicked, *pb.ServerFrame_GoingAway:
		return FaultRefused, false
	}
	return noFault, true
}

// news is the last thing that held clients were told, and what it says about the watched
// world: most of them are told the same.
type news struct {
	body          []byte
	about, online bool
}

// onNews looks for the watched world in what a held client is told.
func (e *engine) onNews(c *client, body []byte) {
	if bytes.HasPrefix(body, pongHead) {
		e.lists.Add(1)
		return
	}
	if e.o.Watch == nil {
		return
	}
	if !bytes.Equal(body, e.news.body) {
		e.news.body = append(e.news.body[:0], body...)
		e.news.online, e.news.about = e.o.Watch.read(body)
	}
	if e.news.about {
		e.look(c, e.news.online)
	}
}

// pongHead begins a Pong: its tag in the envelope.
var pongHead = protowire.AppendTag(nil, 34, protowire.BytesType)

// ping shows the server that a held client is there. Its answer is counted where a list
// would be that others ask for, and nobody waits for it.
func (e *engine) ping(c *client) {
	e.out = e.tongue.appendPing(e.out[:0], c.talk)
	e.send(c, e.out)
}

// enrol lets every player sign in by password once and gives it a token.
func enrol(ctx context.Context, t Target, o Clients, p *Progress) error {
	n := len(o.Native.list)
	c, err := newCrew(crewOptions{Target: t, Clients: o, engine: engineOptions{
		Slots: enrolBusy, Busy: enrolBusy, Limit: n, Enrol: true,
	}})
	if err != nil {
		return err
	}
	c.measuring.Store(true) // or the limit would not count
	c.start()
	defer c.stop(stopNow)
	p.Begin("tokens", int64(n))
	for alive := true; alive && pause(ctx, progressEvery/10); {
		p.Set(int64(c.finished()), c.counted())
		select {
		case <-c.ended:
			alive = false
		default:
		}
	}
	p.End()
	c.stop(stopNow)
	if ctx.Err() == nil && !o.Native.enrolled() {
		return fmt.Errorf("load: %d of %d players were given a token: %v", c.counted(), n, c.tally().faultCounts())
	}
	return nil
}

// enrolBusy is how many players sign in at once for their token.
const enrolBusy = 32
