package engine

import (
	"encoding/binary"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/protocol"
)

// step processes the answer that the client waits for, once it is complete. It returns
// false with a fault if the login fails.
func (e *Engine) step(c *client) (counts.Fault, bool) {
	if e.native != nil {
		return e.stepNative(c)
	}
	switch c.phase {
	case phaseChallenge:
		return e.onChallenge(c)
	case phaseProof:
		return e.onProof(c)
	case phaseList:
		return e.onList(c)
	case phaseHeld:
		return e.onPush(c)
	}
	return e.stepMove(c)
}

// onChallenge answers the challenge with a proof.
func (e *Engine) onChallenge(c *client) (counts.Fault, bool) {
	r, n, err := grunt.ParseChallengeReply(c.buf[:c.got], e.layout)
	if fault, whole := e.takeWhole(c, n, err); !whole {
		return fault, fault == noFault
	}
	now := e.endPart(c, counts.PartChallenge)
	if r.Result != codec.ResultOK {
		return e.onRefusal(c, r.Result, now)
	}
	var ok bool
	if e.out, ok = e.accounts.AppendProof(e.out[:0], c.attempt, &r.Challenge, &c.exchange); !ok {
		return counts.FaultGarbage, false
	}
	c.phase, c.since = phaseProof, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onProof processes the result of the proof.
func (e *Engine) onProof(c *client) (counts.Fault, bool) {
	r, n, err := grunt.ParseProofReply(c.buf[:c.got], e.layout)
	if fault, whole := e.takeWhole(c, n, err); !whole {
		return fault, fault == noFault
	}
	now := e.endPart(c, counts.PartProof)
	switch {
	case r.Result != codec.ResultOK:
		return e.onRefusal(c, r.Result, now)
	case e.o.Canned: // any proof is accepted
	case c.attempt.Plan != counts.PlanRight:
		return counts.FaultAccepted, false
	case c.exchange.CheckServer((*srp6.Proof)(&r.M2)) != nil:
		return counts.FaultProof, false
	}
	e.requestList(c, now)
	return noFault, true
}

// onRefusal completes a login that had to be refused, and fails any other.
func (e *Engine) onRefusal(c *client, r codec.Result, now time.Duration) (counts.Fault, bool) {
	if c.attempt.Plan == counts.PlanRight || r != codec.ResultBadCredentials {
		return counts.FaultRefused, false
	}
	e.complete(c, now)
	e.release(c)
	return noFault, true
}

// requestList sends a request for the realm list.
func (e *Engine) requestList(c *client, now time.Duration) {
	if c.phase == phaseHeld {
		e.held.Add(-1)
		e.busy++
		e.requesting++
		c.deadline = now + e.o.Timeout
	}
	c.phase, c.since = phaseList, now
	e.out = grunt.AppendRealmListRequest(e.out[:0])
	e.send(c, e.out)
}

// listSize returns the length of a realm list that begins with b.
func listSize(b []byte) int { return protocol.RealmListHead + int(binary.LittleEndian.Uint16(b[1:])) }

// onList processes the realm list. It checks only the opcode and the length: parsing the
// entries would cost the load client time and would not change the server's cost.
func (e *Engine) onList(c *client) (counts.Fault, bool) {
	if c.buf[0] != protocol.OpRealmList {
		return counts.FaultGarbage, false
	}
	if c.got < protocol.RealmListHead {
		return noFault, true
	}
	size := listSize(c.buf)
	switch {
	case c.got > size:
		return counts.FaultGarbage, false
	case c.got < size:
		c.reserve(size)
		return noFault, true
	}
	c.got = 0
	e.listDone(c, e.endPart(c, counts.PartList))
	return noFault, true
}

// listDone completes the login, or a held client's request for the list.
func (e *Engine) listDone(c *client, now time.Duration) {
	if c.listed {
		e.requesting--
		e.lists.Add(1)
	} else {
		e.complete(c, now)
	}
	if !e.o.Hold {
		e.release(c)
		return
	}
	c.listed = true
	c.phase = phaseHeld
	e.busy--
	e.held.Add(1)
}

// reserve grows the read buffer for an answer of n bytes. The slot keeps the larger
// buffer.
func (c *client) reserve(n int) {
	if n > len(c.buf) {
		c.buf = append(make([]byte, 0, n), c.buf[:c.got]...)[:n]
	}
}

// noFault is returned while an answer is not complete.
const noFault = counts.FaultCount

// takeWhole reports whether the buffer holds exactly one complete answer, which has n bytes,
// and then empties the buffer. Otherwise it returns noFault if more bytes must arrive, or
// the fault.
func (e *Engine) takeWhole(c *client, n int, err error) (counts.Fault, bool) {
	switch {
	case err == codec.ErrShort && c.got < len(c.buf):
		return noFault, false
	case err != nil || n != c.got:
		return counts.FaultGarbage, false
	}
	c.got = 0
	return noFault, true
}

// endPart records the time of the part that ends now, and returns the current time.
func (e *Engine) endPart(c *client, p counts.Part) time.Duration {
	now := e.now()
	if c.counts {
		e.counts.Record(c.attempt.Plan, p, now-c.since)
	}
	return now
}

// complete counts a login that went as planned.
func (e *Engine) complete(c *client, now time.Duration) {
	e.counted.Add(1)
	e.ended.Add(1)
	if !c.counts {
		return
	}
	e.counts.Done[c.attempt.Plan]++
	e.counts.Record(c.attempt.Plan, counts.PartQueued, c.begun-c.due)
	e.counts.Record(c.attempt.Plan, counts.PartWhole, now-c.due)
}
