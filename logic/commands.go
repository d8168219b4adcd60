package logic

import (
	"gatepass/codec"
	"gatepass/storage"
)

// CommandKind tells what an operator, or the process itself, wants.
type CommandKind uint8

const (
	// CommandKick sends the account Name away and wipes its session key.
	CommandKick CommandKind = iota
	// CommandAddressBans reads the address bans anew from the store.
	CommandAddressBans
	// CommandMaintenance refuses all logins while On.
	CommandMaintenance
	// CommandDrain lets no one in any more and closes sessions that have
	// nothing under way. There is no way back.
	CommandDrain
	// CommandClose closes every session and ends the loop.
	CommandClose
)

// Command is an operator's wish.
type Command struct {
	Kind CommandKind
	Name storage.Name
	On   bool
}

// Command takes a command. CommandClose is seen by the Loop, which ends behind
// it.
func (c *Core) Command(cmd *Command) {
	switch cmd.Kind {
	case CommandKick:
		if h := c.keys.find(cmd.Name); h != nil {
			c.kick(h.holder, "command")
			c.keys.drop(cmd.Name)
		}
	case CommandAddressBans:
		c.ops = append(c.ops, storage.Op{Kind: storage.OpAddressBans})
	case CommandMaintenance:
		c.maintenance = cmd.On
	case CommandDrain:
		c.drain()
	case CommandClose:
		c.sessions.each(func(s *session) { c.hangUp(s, codec.CloseLogic) })
		c.keys.wipe()
	}
	c.runEvents()
}

func (c *Core) drain() {
	c.draining = true
	c.sessions.each(func(s *session) {
		if s.state == StateConnected || s.state == StateChoosing {
			c.hangUp(s, codec.CloseLogic)
		}
	})
}
