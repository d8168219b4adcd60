package logic

import (
	"gatepass/codec"
	"gatepass/storage"
)

// CommandKind tells what an operator, or the process itself, wants.
type CommandKind uint8

const (
	// CommandKick sends the account Name away, whoever is logging in to it
	// included, and wipes its session key. Native clients are told Result.
	CommandKick CommandKind = iota
	// CommandAddressBans reads the address bans anew from the store, and sends
	// away whoever is banned by them.
	CommandAddressBans
	// CommandDrain lets no one in any more and closes sessions that have
	// nothing under way. There is no way back.
	CommandDrain
	// CommandVersions puts Versions in the place of those before.
	CommandVersions
	// CommandSalts says in Salts what the salts of the store's accounts look like.
	CommandSalts
	// CommandClose closes every session and ends the loop.
	CommandClose
)

// Command is an operator's wish.
type Command struct {
	Kind CommandKind
	Name storage.Name
	// Result is why, for CommandKick; ResultOK is ResultKicked.
	Result codec.Result
	// Versions are for CommandVersions.
	Versions Versions
	// Salts is for CommandSalts.
	Salts storage.SaltShape
}

// Command takes a command. CommandClose is seen by the Loop, which ends behind
// it.
func (c *Core) Command(cmd *Command) {
	switch cmd.Kind {
	case CommandKick:
		c.kickAccount(cmd.Name, cmd.Result)
	case CommandAddressBans:
		c.wantBans()
	case CommandDrain:
		c.drain()
	case CommandVersions:
		c.versions = cmd.Versions
	case CommandSalts:
		c.saltsAre(cmd.Salts)
	case CommandClose:
		c.sessions.each(func(s *session) { c.farewell(s, codec.ResultGoingAway) })
		c.wipeKeys()
	}
	c.runEvents()
}

// kickAccount sends away who plays on an account and who is logging in to it:
// what an attempt knows of the account was read before the operator changed it.
func (c *Core) kickAccount(name storage.Name, result codec.Result) {
	kick := func(s *session) {
		c.sendAway(Signal{Kind: SignalKicked, session: s, Why: whyCommand, Result: result})
	}
	if h := c.keys.Find(codec.Name(name)); h != nil {
		kick(c.sessions.get(h.Owner.holder))
		c.dropKey(h)
	} else {
		c.keys.Drop(codec.Name(name)) // it may be on its way here
	}
	c.endElsewhere(codec.Name(name))
	c.sessions.each(func(s *session) {
		if s.name == name && (attempting.has(s.state) || s.welcomed()) {
			kick(s)
		}
	})
}

// attempting are the states of an account's clients that are not in: between hello and
// the verdict, and those that are brought up to date.
var attempting = in(StateLookingUp, StateProving, StateVerifying, StateRecording, StateReproving, StateReclaiming,
	StateConfirming, StateRotating, StateUpdating)

// kickBanned sends away whoever is there from a banned address. Those who have
// said nothing yet are told at their first word.
func (c *Core) kickBanned() {
	c.sessions.each(func(s *session) {
		if s.state != StateConnected && c.blocklist.find(s.peer, c.wall/1000) != nil {
			c.kick(s.conn, "address ban")
		}
	})
}

func (c *Core) drain() {
	c.draining = true
	c.sessions.each(func(s *session) {
		if s.state == StateConnected || s.state == StateChoosing || s.state == StateBoarded || s.state == StateUpdating {
			c.sendOff(s)
		}
	})
}

// sendOff lets a client go that has nothing under way, and tells a native one when to
// come back.
func (c *Core) sendOff(s *session) {
	if s.native != nil && s.state != StateConnected {
		c.goAway(s)
	} else {
		c.hangUp(s, codec.CloseLogic)
	}
}
