package load

import (
	"encoding/binary"
	"time"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/codec/world"

	"golang.org/x/sys/unix"
)

// phase is what a client waits for.
type phase uint8

const (
	// phaseFree: no connection.
	phaseFree phase = iota
	// phaseConnecting: the connection is being made.
	phaseConnecting
	// phaseChallenge: the name is sent, the server's key is to come.
	phaseChallenge
	// phaseProof: the proof is sent, the verdict is to come.
	phaseProof
	// phaseList: the realm list is to come.
	phaseList
	// phaseHeld: logged in, waits for nothing but lists it may be sent.
	phaseHeld
	// phaseGateSeed: connected to a gate, whose challenge is to come.
	phaseGateSeed
	// phaseGateAuth: the gate has the proof, its verdict is to come.
	phaseGateAuth
	// phaseInside: let in at the gate, waits for nothing.
	phaseInside
	// phaseBackChallenge: back at the login server, whose challenge is to come.
	phaseBackChallenge
	// phaseBackProof: the proof of the old key is sent, the verdict is to come.
	phaseBackProof
)

// settled tells whether the client waits for nothing.
func (p phase) settled() bool { return p == phaseHeld || p == phaseInside }

// moving tells whether the client is on its way to or from a gate.
func (p phase) moving() bool { return p > phaseHeld && p != phaseInside }

// client is one connection of an engine, and after it the next one of the same
// slot.
type client struct {
	fd         int
	slot       int32
	generation int32 // goes up with each connection
	phase      phase
	counts     bool // began while the crew measured
	listed     bool // held since its first list: the login is over
	role       role
	due, begun time.Duration // of the login
	since      time.Duration // of the phase
	deadline   time.Duration
	got        int // bytes of buf
	buf        []byte
	exchange   srp6.Client // knows what the server has to prove

	// login is the connection to the login server while fd is the one to a gate
	// that has not let the client in yet; else -1.
	login  int
	gate   *world.Client // at a gate
	answer codec.Reconnect
	change uint32 // the last change of the watched world that it was shown
	talk   *talk  // of a native client
}

func (c *client) token() token { return token{slot: c.slot, generation: c.generation} }

// begin takes a free slot and opens its connection.
func (e *engine) begin(due time.Duration) {
	last := len(e.free) - 1
	c := &e.clients[e.free[last]]
	e.free = e.free[:last]
	e.busy++
	// What begins within the measured time counts, however long it takes: to
	// leave out what is unfinished at the end would leave out the slow ones.
	if c.counts = e.o.Measuring.Load(); c.counts {
		e.begun++
	}
	now := e.now()
	c.generation++
	c.phase, c.listed, c.got, c.fd, c.change = phaseConnecting, false, 0, -1, 0
	c.role = e.cast.next()
	if e.tongue != nil {
		e.sit(c)
	}
	c.due, c.begun, c.since, c.deadline = due, now, now, now+e.o.Timeout
	if fault, ok := e.open(c, &e.target); !ok {
		e.fail(c, fault)
		return
	}
	e.greet(c)
}

// open makes the socket and begins to connect it.
func (e *engine) open(c *client, target *sockaddr) (Fault, bool) {
	fd, errno := rawSocket(target.family)
	if errno != 0 {
		return FaultFiles, false
	}
	c.fd = fd
	if len(e.sources) > 0 {
		e.source = (e.source + 1) % len(e.sources)
		if errno := rawBind(fd, &e.sources[e.source]); errno != 0 {
			return connectFault(errno), false
		}
	}
	if errno := rawConnect(fd, target); errno != 0 && errno != unix.EINPROGRESS {
		return connectFault(errno), false
	}
	return 0, true
}

func connectFault(errno unix.Errno) Fault {
	switch errno {
	case unix.EADDRNOTAVAIL, unix.EADDRINUSE:
		return FaultPorts
	case unix.EMFILE, unix.ENFILE:
		return FaultFiles
	}
	return FaultConnect
}

// greet sends the challenge if the connection stands, and waits for it if not.
func (e *engine) greet(c *client) {
	errno := e.sendChallenge(c)
	switch errno {
	case 0:
		errno = e.poll.add(c.fd, unix.EPOLLIN, c.token())
	case unix.EAGAIN, unix.ENOTCONN:
		errno = e.poll.add(c.fd, unix.EPOLLIN|unix.EPOLLOUT, c.token())
	}
	if errno != 0 {
		e.fail(c, connectFault(errno))
	}
}

// connected goes on where greet had to wait.
func (e *engine) connected(c *client) {
	errno := e.sendChallenge(c)
	if errno == unix.EAGAIN {
		return
	}
	if errno == 0 {
		errno = e.poll.change(c.fd, unix.EPOLLIN, c.token())
	}
	if errno != 0 {
		e.fail(c, connectFault(errno))
	}
}

func (e *engine) sendChallenge(c *client) unix.Errno {
	e.out = e.appendHello(e.out[:0], c)
	now := e.now()
	if _, errno := rawWrite(c.fd, e.out); errno != 0 {
		return errno
	}
	if c.counts {
		e.tally.record(c.role.plan, PartConnect, now-c.begun)
	}
	c.phase, c.since = phaseChallenge, now
	return 0
}

// send writes a message to a connection that has nothing unsent, so that it
// always fits.
func (e *engine) send(c *client, b []byte) bool {
	if n, errno := rawWrite(c.fd, b); errno != 0 || n != len(b) {
		e.fail(c, FaultReset)
		return false
	}
	return true
}

// receive takes what has come.
func (e *engine) receive(c *client) {
	n, errno := rawRead(c.fd, c.buf[c.got:])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		e.lose(c, FaultReset)
		return
	case n == 0:
		e.lose(c, FaultClosed)
		return
	}
	c.got += n
	if fault, ok := e.step(c); !ok {
		e.fail(c, fault)
	}
}

// lose is a connection that ended without us.
func (e *engine) lose(c *client, f Fault) {
	if !c.listed || c.phase.moving() {
		e.fail(c, f)
		return
	}
	e.dropped.Add(1)
	e.release(c)
}

// step takes the answer that the client waits for, if it is whole.
func (e *engine) step(c *client) (Fault, bool) {
	if e.tongue != nil {
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

// onChallenge answers the server's key with a proof.
func (e *engine) onChallenge(c *client) (Fault, bool) {
	r, n, err := grunt.ParseChallengeReply(c.buf[:c.got], e.layout)
	if fault, whole := e.judge(c, n, err); !whole {
		return fault, fault == noFault
	}
	now := e.lap(c, PartChallenge)
	if r.Result != codec.ResultOK {
		return e.onRefusal(c, r.Result, now)
	}
	var ok bool
	if e.out, ok = e.cast.appendProof(e.out[:0], c.role, &r.Challenge, &c.exchange); !ok {
		return FaultGarbage, false
	}
	c.phase, c.since = phaseProof, e.now()
	e.send(c, e.out)
	return noFault, true
}

// onProof takes the verdict.
func (e *engine) onProof(c *client) (Fault, bool) {
	r, n, err := grunt.ParseProofReply(c.buf[:c.got], e.layout)
	if fault, whole := e.judge(c, n, err); !whole {
		return fault, fault == noFault
	}
	now := e.lap(c, PartProof)
	switch {
	case r.Result != codec.ResultOK:
		return e.onRefusal(c, r.Result, now)
	case e.o.Canned: // whatever it says
	case c.role.plan != PlanRight:
		return FaultAccepted, false
	case c.exchange.CheckServer((*srp6.Proof)(&r.M2)) != nil:
		return FaultProof, false
	}
	e.ask(c, now)
	return noFault, true
}

// onRefusal ends a login that was to be refused, and fails any other.
func (e *engine) onRefusal(c *client, r codec.Result, now time.Duration) (Fault, bool) {
	if c.role.plan == PlanRight || r != codec.ResultBadCredentials {
		return FaultRefused, false
	}
	e.complete(c, now)
	e.release(c)
	return noFault, true
}

// ask requests the realm list.
func (e *engine) ask(c *client, now time.Duration) {
	if c.phase == phaseHeld {
		e.held.Add(-1)
		e.busy++
		e.asking++
		c.deadline = now + e.o.Timeout
	}
	c.phase, c.since = phaseList, now
	e.out = grunt.AppendRealmListRequest(e.out[:0])
	e.send(c, e.out)
}

// realmListHead is the opcode and the size of what follows.
const realmListHead = 3

// listSize is the length of a list whose head is there.
func listSize(b []byte) int { return realmListHead + int(binary.LittleEndian.Uint16(b[1:])) }

// onList takes the realm list. Only its frame is looked at: to read each line
// of it is a player's time, not the server's.
func (e *engine) onList(c *client) (Fault, bool) {
	if c.buf[0] != opRealmList {
		return FaultGarbage, false
	}
	if c.got < realmListHead {
		return noFault, true
	}
	size := listSize(c.buf)
	switch {
	case c.got > size:
		return FaultGarbage, false
	case c.got < size:
		c.reserve(size)
		return noFault, true
	}
	c.got = 0
	e.listDone(c, e.lap(c, PartList))
	return noFault, true
}

// listDone ends the login, or the list that a held client asked for.
func (e *engine) listDone(c *client, now time.Duration) {
	if c.listed {
		e.asking--
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

// reserve makes room for an answer of n bytes. A slot keeps it, so that
// equally long lists cost this once.
func (c *client) reserve(n int) {
	if n > len(c.buf) {
		c.buf = append(make([]byte, 0, n), c.buf[:c.got]...)[:n]
	}
}

// noFault is for answers that are not whole yet.
const noFault = FaultCount

// judge tells whether a whole answer of n bytes is there, and nothing else.
func (e *engine) judge(c *client, n int, err error) (Fault, bool) {
	switch {
	case err == codec.ErrShort && c.got < len(c.buf):
		return noFault, false
	case err != nil || n != c.got:
		return FaultGarbage, false
	}
	c.got = 0
	return noFault, true
}

// lap ends a phase and returns the time.
func (e *engine) lap(c *client, p Part) time.Duration {
	now := e.now()
	if c.counts {
		e.tally.record(c.role.plan, p, now-c.since)
	}
	return now
}

// complete counts a login that went as planned.
func (e *engine) complete(c *client, now time.Duration) {
	e.counted.Add(1)
	e.ended.Add(1)
	if !c.counts {
		return
	}
	e.tally.done[c.role.plan]++
	e.tally.record(c.role.plan, PartQueued, c.begun-c.due)
	e.tally.record(c.role.plan, PartWhole, now-c.due)
}

// fail counts a login that did not.
func (e *engine) fail(c *client, f Fault) {
	if c.phase.moving() {
		e.failMove(c, f.String())
		return
	}
	e.ended.Add(1)
	if c.counts {
		e.tally.faults[f]++
	}
	switch f {
	case FaultConnect, FaultPorts, FaultFiles:
		e.paused = e.now() + connectPause
	}
	e.release(c)
}

// release closes the connection in the normal way and frees the slot.
func (e *engine) release(c *client) {
	if c.fd >= 0 {
		rawClose(c.fd)
	}
	c.leaveLogin()
	e.rise(c)
	if c.phase.settled() {
		e.held.Add(-1)
	} else {
		e.busy--
		if c.listed && c.phase == phaseList {
			e.asking--
		}
	}
	c.phase, c.got = phaseFree, 0
	e.free = append(e.free, c.slot)
}
