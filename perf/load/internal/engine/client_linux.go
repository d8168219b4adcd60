package engine

import (
	"time"

	"golang.org/x/sys/unix"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loop"
	"gatepass/perf/load/internal/protocol"
)

// phase is the state of a client: what it waits for.
type phase uint8

const (
	// phaseFree: no connection.
	phaseFree phase = iota
	// phaseConnecting: the connection is not yet established.
	phaseConnecting
	// phaseChallenge: has sent the name and waits for the challenge.
	phaseChallenge
	// phaseProof: has sent the proof and waits for the result.
	phaseProof
	// phaseList: waits for the realm list.
	phaseList
	// phaseHeld: logged in. The server may send lists; the client waits for nothing.
	phaseHeld
	// phaseGateSeed: has connected to a gate and waits for its challenge.
	phaseGateSeed
	// phaseGateAuth: has sent the gate the proof and waits for the result.
	phaseGateAuth
	// phaseInside: accepted by the gate. The client waits for nothing.
	phaseInside
	// phaseBackChallenge: has reconnected to the login server and waits for its challenge.
	phaseBackChallenge
	// phaseBackProof: has sent the proof of the old key and waits for the result.
	phaseBackProof
)

// settled reports whether the client waits for nothing.
func (p phase) settled() bool { return p == phaseHeld || p == phaseInside }

// moving reports whether the client is moving to or from a gate.
func (p phase) moving() bool { return p > phaseHeld && p != phaseInside }

// client is a slot of an engine with its current connection.
type client struct {
	fd         int
	slot       int32
	generation int32 // goes up with each connection
	phase      phase
	counts     bool // the login began while Measuring was set
	listed     bool // the login is complete; the client is held
	attempt    protocol.Attempt
	due, begun time.Duration // of the login
	since      time.Duration // of the phase
	deadline   time.Duration
	got        int // bytes of buf
	buf        []byte
	exchange   srp6.Client // for the check of the server's proof

	// login is the connection to the login server while fd is one to a gate that has not
	// accepted the client yet; otherwise -1.
	login  int
	gate   *world.Client // at a gate
	answer codec.Reconnect
	change uint32               // the last change of the watched world that it received
	native *protocol.NativeConn // nil: grunt
}

func (c *client) token() loop.Token { return loop.Token{Slot: c.slot, Generation: c.generation} }

// begin starts a login in a free slot.
func (e *Engine) begin(due time.Duration) {
	last := len(e.free) - 1
	c := &e.clients[e.free[last]]
	e.free = e.free[:last]
	e.busy++
	// A login counts if it begins in the measured time, even if it ends later. Otherwise
	// slow logins would be left out more often than fast ones.
	if c.counts = e.o.Measuring.Load(); c.counts {
		e.begun++
	}
	now := e.now()
	c.generation++
	c.phase, c.listed, c.got, c.fd, c.change = phaseConnecting, false, 0, -1, 0
	c.attempt = e.accounts.Next()
	if e.native != nil {
		e.assignPlayer(c)
	}
	c.due, c.begun, c.since, c.deadline = due, now, now, now+e.o.Timeout
	if fault, ok := e.open(c, &e.target); !ok {
		e.fail(c, fault)
		return
	}
	e.sendFirst(c)
}

// open makes the socket and starts to connect it.
func (e *Engine) open(c *client, target *loop.Sockaddr) (counts.Fault, bool) {
	fd, errno := loop.Socket(target)
	if errno != 0 {
		return counts.FaultFiles, false
	}
	c.fd = fd
	if len(e.sources) > 0 {
		e.source = (e.source + 1) % len(e.sources)
		if errno := loop.Bind(fd, &e.sources[e.source]); errno != 0 {
			return counts.ConnectFault(errno), false
		}
	}
	if errno := loop.Connect(fd, target); errno != 0 && errno != unix.EINPROGRESS {
		return counts.ConnectFault(errno), false
	}
	return 0, true
}

// sendFirst sends the first message if the connection is established, and waits for the
// connection otherwise.
func (e *Engine) sendFirst(c *client) {
	errno := e.sendChallenge(c)
	switch errno {
	case 0:
		errno = e.poll.Add(c.fd, unix.EPOLLIN, c.token())
	case unix.EAGAIN, unix.ENOTCONN:
		errno = e.poll.Add(c.fd, unix.EPOLLIN|unix.EPOLLOUT, c.token())
	}
	if errno != 0 {
		e.fail(c, counts.ConnectFault(errno))
	}
}

// connected sends the first message once the connection is established.
func (e *Engine) connected(c *client) {
	errno := e.sendChallenge(c)
	if errno == unix.EAGAIN {
		return
	}
	if errno == 0 {
		errno = e.poll.Change(c.fd, unix.EPOLLIN, c.token())
	}
	if errno != 0 {
		e.fail(c, counts.ConnectFault(errno))
	}
}

func (e *Engine) sendChallenge(c *client) unix.Errno {
	e.out = e.appendHello(e.out[:0], c)
	now := e.now()
	if _, errno := loop.Write(c.fd, e.out); errno != 0 {
		return errno
	}
	if c.counts {
		e.counts.Record(c.attempt.Plan, counts.PartConnect, now-c.begun)
	}
	c.phase, c.since = phaseChallenge, now
	return 0
}

// send writes a message. It always fits, because a client has no more than one message
// unsent.
func (e *Engine) send(c *client, b []byte) bool {
	if n, errno := loop.Write(c.fd, b); errno != 0 || n != len(b) {
		e.fail(c, counts.FaultReset)
		return false
	}
	return true
}

// receive reads what has arrived and processes it.
func (e *Engine) receive(c *client) {
	n, errno := loop.Read(c.fd, c.buf[c.got:])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		e.disconnected(c, counts.FaultReset)
		return
	case n == 0:
		e.disconnected(c, counts.FaultClosed)
		return
	}
	c.got += n
	if fault, ok := e.step(c); !ok {
		e.fail(c, fault)
	}
}

// disconnected ends a client whose connection was closed by the server.
func (e *Engine) disconnected(c *client, f counts.Fault) {
	if !c.listed || c.phase.moving() {
		e.fail(c, f)
		return
	}
	e.dropped.Add(1)
	e.release(c)
}

// fail counts a login that did not go as planned, and ends its client.
func (e *Engine) fail(c *client, f counts.Fault) {
	if c.phase.moving() {
		e.failMove(c, f.String())
		return
	}
	e.ended.Add(1)
	if c.counts {
		e.counts.Faults[f]++
	}
	switch f {
	case counts.FaultConnect, counts.FaultPorts, counts.FaultFiles:
		e.paused = e.now() + loop.ConnectPause
	}
	e.release(c)
}

// release closes the connection and frees the slot.
func (e *Engine) release(c *client) {
	if c.fd >= 0 {
		loop.Close(c.fd)
	}
	c.leaveLogin()
	e.releasePlayer(c)
	if c.phase.settled() {
		e.held.Add(-1)
	} else {
		e.busy--
		if c.listed && c.phase == phaseList {
			e.requesting--
		}
	}
	c.phase, c.got = phaseFree, 0
	e.free = append(e.free, c.slot)
}
