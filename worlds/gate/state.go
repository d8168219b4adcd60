package gate

import "fmt"

// StateID names a state of a connection.
type StateID uint8

const (
	// StateConnected: the challenge was sent, the client has said nothing.
	StateConnected StateID = iota
	// StateLocating: the directory was asked who holds the account's key.
	StateLocating
	// StateClaiming: the holder was asked for the key.
	StateClaiming
	// StatePausing: the key was busy; it is looked for again in a moment.
	StatePausing
	// StateRefusing: the client was wrong and is told so in a while.
	StateRefusing
	// StateWaiting: proven; the client stands in line.
	StateWaiting
	// StateInside: the client is in the world.
	StateInside
	// StateLeaving: refused or told to go; nothing is valid, the connection is
	// being closed.
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

// getting are the states between a client's word and what comes of it.
var getting = in(StateLocating, StateClaiming, StatePausing)

// transitions says which state may follow which. Every state but Leaving may
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

// become is the one way into a state. A transition that is not in the table is a
// bug of ours.
func (c *core) become(s *session, id StateID) {
	if !transitions[s.state].has(id) {
		panic(fmt.Sprintf("gate: no way from %v to %v", s.state, id))
	}
	c.leaveState(s)
	c.enterState(s, id)
}

// enterState puts a session into a state, from another or from nowhere.
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
		s.deadline = 0 // it is the line that moves on
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

// leaveState is called before a session goes to another state or away.
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
