package logic

import (
	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
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
	// Result is why, for CommandKick: banned, suspended, or else kicked.
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
		c.endLogins(cmd.Name, commandReason(cmd.Result))
	case CommandAddressBans:
		c.wantBans()
	case CommandDrain:
		c.drain()
	case CommandVersions:
		c.versions = cmd.Versions
	case CommandSalts:
		c.saltsAre(cmd.Salts)
	case CommandClose:
		c.sessions.each(func(s *session) { c.end(s, endStopped) })
		c.wipeKeys()
	}
	c.runEvents()
}

// commandReason is why an account ends that an operator sends away.
func commandReason(told codec.Result) endReason {
	switch told {
	case codec.ResultBanned:
		return endCommandBanned
	case codec.ResultSuspended:
		return endCommandSuspended
	}
	return endCommand
}

// endLogins ends every session of an account, those that are just signing in included:
// what an attempt knows of the account was read before the operator changed it. It wipes
// the account's key.
func (c *Core) endLogins(name storage.Name, why endReason) {
	if h := c.keys.Find(codec.Name(name)); h != nil {
		c.endConn(h.Owner.holder, why)
		c.dropKey(h)
	} else {
		c.keys.Drop(codec.Name(name)) // it may be on its way here
	}
	c.endElsewhere(codec.Name(name))
	c.sessions.each(func(s *session) {
		if s.name == name && (attempting.has(s.state) || s.welcomed()) {
			c.end(s, why)
		}
	})
}

// attempting are the states of an account's clients that are not in: between hello and
// the verdict, and those that are brought up to date.
var attempting = in(StateLookingUp, StateProving, StateVerifying, StateRecording, StateReproving, StateReclaiming,
	StateConfirming, StateRotating, StateUpdating)

// endBannedAddresses ends the sessions of banned addresses. A client that has sent nothing
// yet is refused with its first message.
func (c *Core) endBannedAddresses() {
	c.sessions.each(func(s *session) {
		if s.state != StateConnected && c.blocklist.find(s.peer, c.wall/1000) != nil {
			c.end(s, endAddressBanned)
		}
	})
}

// drain ends the sessions that have nothing under way.
func (c *Core) drain() {
	c.draining = true
	c.sessions.each(func(s *session) {
		if s.state == StateConnected || s.state == StateChoosing || s.state == StateInWorld || s.state == StateUpdating {
			c.end(s, endDrained)
		}
	})
}

// ordered does what an operator wants of every login server.
func (c *Core) ordered(o *worlds.Order) {
	switch {
	case o.Maintenance != nil:
		c.maintenance = *o.Maintenance
		c.options.Logger.Info("maintenance", "on", c.maintenance)
	case o.Notice != "":
		c.notify(o.Notice)
	}
}
