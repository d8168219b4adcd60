package logic

import (
	"fmt"
	"time"

	"gatepass/codec"
	"gatepass/storage"
)

// StateID names a state.
type StateID uint8

const (
	// StateConnected: nothing has been said yet.
	StateConnected StateID = iota
	// StateLookingUp: the account is being read, or a key awaited for its
	// challenge.
	StateLookingUp
	// StateProving: a challenge was sent, its proof is awaited.
	StateProving
	// StateVerifying: the auth pool has the proof.
	StateVerifying
	// StateRecording: the proof was right, its record is being stored.
	StateRecording
	// StateReproving: a reconnect challenge was sent, its proof is awaited.
	StateReproving
	// StateReclaiming: the proof was not made with a key that is here; the key is
	// being looked for in the region, or the refusal is being held back.
	StateReclaiming
	// StateConfirming: the password was right, a native client's second factor is
	// awaited.
	StateConfirming
	// StateRotating: a native client's token was right, the next one is being stored.
	StateRotating
	// StateChoosing: proven; the client may ask for the worlds.
	StateChoosing
	// StateHandingOff: a native client has selected a world; its pass is on the way to
	// the gate, or at the gate and unused.
	StateHandingOff
	// StateInWorld: the gate has taken a native client's pass. Its name in metrics is
	// "boarded".
	StateInWorld
	// StateUpdating: proven, but the client is too old; it is offered a file that
	// brings it up to date, waits for it, or is sent it.
	StateUpdating
	// StateLeaving: refused or told to go; nothing is valid, the connection is
	// being closed.
	StateLeaving
	// StateCount is the number of states, for tables.
	StateCount
)

var stateNames = [StateCount]string{
	"connected", "looking-up", "proving", "verifying", "recording", "reproving", "reclaiming", "confirming", "rotating",
	"choosing", "handing-off", "boarded", "updating", "leaving",
}

func (id StateID) String() string {
	if id < StateCount {
		return stateNames[id]
	}
	return fmt.Sprintf("state(%d)", uint8(id))
}

// state is the behaviour of sessions that are in it. States hold no data.
type state interface {
	// Enter is called when a session has come in.
	Enter(c *Core, s *session)
	// Leave is called before it goes to another state or away.
	Leave(c *Core, s *session)
	// Step takes an input about a session. Messages come only if the opcode table says
	// that they are valid in the state. It returns false for an input that the state
	// does not take.
	Step(c *Core, s *session, in Input) bool
	// Limit is how long a session may stay.
	Limit(o *Options) time.Duration
}

var states = [StateCount]state{
	StateConnected:  connected{},
	StateLookingUp:  lookingUp{},
	StateProving:    proving{},
	StateVerifying:  verifying{},
	StateRecording:  recording{},
	StateReproving:  reproving{},
	StateReclaiming: reclaiming{},
	StateConfirming: confirming{},
	StateRotating:   rotating{},
	StateChoosing:   choosing{},
	StateHandingOff: handingOff{},
	StateInWorld:    inWorld{},
	StateUpdating:   updating{},
	StateLeaving:    leaving{},
}

// transitions says which state may follow which. Every state but Leaving may
// lead to Leaving.
var transitions = [StateCount]stateSet{
	StateConnected:  in(StateLookingUp, StateLeaving),
	StateLookingUp:  in(StateProving, StateReproving, StateLeaving),
	StateProving:    in(StateVerifying, StateRotating, StateLeaving),
	StateVerifying:  in(StateConfirming, StateRecording, StateChoosing, StateUpdating, StateLeaving),
	StateConfirming: in(StateRecording, StateChoosing, StateUpdating, StateLeaving),
	StateRotating:   in(StateChoosing, StateUpdating, StateLeaving),
	StateRecording:  in(StateChoosing, StateLeaving),
	StateReproving:  in(StateReclaiming, StateChoosing, StateLeaving),
	StateReclaiming: in(StateChoosing, StateLeaving),
	StateChoosing:   in(StateHandingOff, StateLeaving),
	StateHandingOff: in(StateChoosing, StateInWorld, StateLeaving),
	StateInWorld:    in(StateChoosing, StateLeaving),
	StateUpdating:   in(StateLeaving),
}

// become is the one way into a state. A transition that is not in the table is
// a bug of ours.
func (c *Core) become(s *session, id StateID) {
	if !transitions[s.state].has(id) {
		panic(fmt.Sprintf("logic: no way from %v to %v", s.state, id))
	}
	states[s.state].Leave(c, s)
	c.counters.inState[s.state].Add(-1)
	c.enter(s, id)
}

// enter puts a session into a state, from another or from nowhere.
func (c *Core) enter(s *session, id StateID) {
	s.state = id
	c.counters.inState[id].Add(1)
	c.timers.setAt(s, c.now+limitOf(s, &c.options))
	states[id].Enter(c, s)
}

// opcodes says in which states a client's message is valid. A state never gets a message
// that is not valid in it. Opened and Closed come from the reactor and are handled before.
var opcodes = [codec.KindCount]stateSet{
	codec.KindLogonChallenge:     in(StateConnected),
	codec.KindReconnectChallenge: in(StateConnected),
	codec.KindLogonProof:         in(StateProving),
	codec.KindReconnectProof:     in(StateReproving),
	codec.KindWorldList:          in(StateChoosing),
	codec.KindTransferAccept:     in(StateUpdating),
	codec.KindTransferResume:     in(StateUpdating),
	codec.KindTransferCancel:     in(StateUpdating),
	codec.KindTransferEnded:      in(StateUpdating),

	codec.KindSignIn:         in(StateConnected),
	codec.KindPasswordProof:  in(StateProving),
	codec.KindTokenProof:     in(StateProving),
	codec.KindFactorCode:     in(StateConfirming),
	codec.KindPing:           welcomed | in(StateUpdating),
	codec.KindSelectWorld:    welcomed,
	codec.KindReleaseWorld:   welcomed,
	codec.KindRememberDevice: welcomed,
	codec.KindForgetDevice:   welcomed,
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

// The states of a client that is in, and of one that is on its way out.

// choosing shows a client the worlds.
type choosing struct{}

func (choosing) Enter(c *Core, s *session)               { c.sessions.endAttempt(s) }
func (choosing) Leave(*Core, *session)                   {}
func (choosing) Limit(o *Options) time.Duration          { return o.ChoosingLimit }
func (choosing) Step(c *Core, s *session, in Input) bool { return stepIn(c, s, in) }

// handingOff is a native client that has selected a world: its pass is on the way to
// the gate, or at the gate and unused.
type handingOff struct{}

func (handingOff) Enter(*Core, *session)          {}
func (handingOff) Leave(*Core, *session)          {}
func (handingOff) Limit(o *Options) time.Duration { return o.ChoosingLimit }

// Step also takes how handing the pass over came out.
func (handingOff) Step(c *Core, s *session, in Input) bool {
	if in.Kind == inputOutcome {
		c.selection.goOn(s, in.outcome)
		return true
	}
	return stepIn(c, s, in)
}

// inWorld is a native client whose pass the gate has taken: it waits in the world's
// queue, or plays. It may keep this connection and select another world by it.
type inWorld struct{}

func (inWorld) Enter(*Core, *session)                   {}
func (inWorld) Leave(*Core, *session)                   {}
func (inWorld) Limit(o *Options) time.Duration          { return o.ChoosingLimit }
func (inWorld) Step(c *Core, s *session, in Input) bool { return stepIn(c, s, in) }

// stepIn is the step of a client that is in.
func stepIn(c *Core, s *session, in Input) bool {
	switch {
	case in.Kind == InputMessage:
		s.dialect().serve(c, s, in.Message)
	case in.Kind == inputPassed:
		c.selection.begin(s)
	case in.Kind == InputRegion && in.Region.Progress != nil && s.welcomed():
		c.selection.progressed(s, in.Region.From, in.Region.Progress)
	case in.Kind == InputStored && in.Stored.Kind == storage.OpAddDevice && s.welcomed() && s.native.remembering != nil:
		nativeDialect{}.remembered(c, s, in.Stored)
	default:
		return false
	}
	return true
}

// leaving waits until the reactor says that the connection is closed. It takes nothing.
type leaving struct{}

func (leaving) Enter(c *Core, s *session)        { c.sessions.endAttempt(s) }
func (leaving) Leave(*Core, *session)            {}
func (leaving) Limit(*Options) time.Duration     { return leavingLimit }
func (leaving) Step(*Core, *session, Input) bool { return false }
