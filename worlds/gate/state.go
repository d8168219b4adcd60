package gate

import "fmt"

// StateID identifies a state of a connection.
type StateID uint8

const (
	// StateConnected: the challenge is sent, and the client has not answered.
	StateConnected StateID = iota
	// StateLocating: the gate has asked the directory who holds the account's key.
	StateLocating
	// StateClaiming: the gate has asked the holder for the key.
	StateClaiming
	// StatePausing: the key was busy; the gate will look for it again soon.
	StatePausing
	// StateRefusing: the client gave a wrong name, key or proof. The refusal follows
	// later.
	StateRefusing
	// StateWaiting: the client has proved its key and waits in the queue.
	StateWaiting
	// StateInside: the client is in the world.
	StateInside
	// StateLeaving: the client is refused or disconnected. No message is valid, and the
	// connection is being closed.
	StateLeaving
	// StateCount is the number of states, for tables.
	StateCount
)

var stateNames = [StateCount]string{
	"connected", "locating", "claiming", "pausing", "refusing", "waiting", "inside", "leaving",
}

func (id StateID) String() string {
	if id < StateCount {
		return stateNames[id]
	}
	return fmt.Sprintf("state(%d)", uint8(id))
}

// stateSet is a set of states.
type stateSet uint16

func in(ids ...StateID) (set stateSet) {
	for _, id := range ids {
		set |= 1 << id
	}
	return set
}

func (set stateSet) has(id StateID) bool { return set&(1<<id) != 0 }

// getting are the states between a client's introduction and the result.
var getting = in(StateLocating, StateClaiming, StatePausing)

// transitions says which states may follow each state. Every state except Leaving may
// lead to Leaving.
var transitions = [StateCount]stateSet{
	StateConnected: in(StateLocating, StateRefusing, StateWaiting, StateInside, StateLeaving),
	StateLocating:  in(StateClaiming, StatePausing, StateRefusing, StateWaiting, StateInside, StateLeaving),
	StateClaiming:  in(StatePausing, StateRefusing, StateWaiting, StateInside, StateLeaving),
	StatePausing:   in(StateLocating, StateRefusing, StateWaiting, StateInside, StateLeaving),
	StateRefusing:  in(StateLeaving),
	StateWaiting:   in(StateInside, StateLeaving),
	StateInside:    in(StateLeaving),
}

// become changes the state of a session. A transition that is not in the table is a
// bug.
func (c *core) become(s *session, id StateID) {
	if !transitions[s.state].has(id) {
		panic(fmt.Sprintf("gate: no way from %v to %v", s.state, id))
	}
	c.leaveState(s)
	c.enterState(s, id)
}

// enterState sets the state of a new session, or of one that has left its old state.
func (c *core) enterState(s *session, id StateID) {
	s.state = id
	c.count.inState[id].Add(1)
	if getting.has(id) {
		c.countGetting(s.attempt, +1)
	}
	switch id {
	case StateConnected:
		c.setDeadline(s, c.now+c.options.HandshakeLimit.Milliseconds())
	case StateLocating:
		c.setDeadline(s, min(c.now+locateEvery.Milliseconds(), c.claimEnd(s)))
	case StateClaiming:
		c.setDeadline(s, min(c.now+relocateEvery.Milliseconds(), c.claimEnd(s)))
	case StatePausing:
		c.setDeadline(s, min(s.attempt.resume, c.claimEnd(s)))
	case StateRefusing:
		c.setDeadline(s, s.attempt.started+c.options.RefusalDelay.Milliseconds())
	case StateWaiting:
		s.deadline = 0 // its wait depends on the queue only
		if s.native {
			c.heard(s)
		}
		c.endAttempt(s)
	case StateInside:
		c.heard(s)
		c.endAttempt(s)
	case StateLeaving:
		c.setDeadline(s, c.now+leavingLimit.Milliseconds())
		c.endAttempt(s)
		c.release(s)
	}
}

// leaveState is called before a session changes its state or is removed.
func (c *core) leaveState(s *session) {
	c.count.inState[s.state].Add(-1)
	switch s.state {
	case StateClaiming:
		c.abandon(s.attempt)
	case StateWaiting:
		c.keepPlace(s)
	case StateInside:
		c.left(s)
	}
	if getting.has(s.state) {
		c.countGetting(s.attempt, -1)
	}
}
