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

// service is what an operator has set of this server.
type service struct {
	versions Versions
	// draining: nobody is let in any more. maintenance: logins are refused.
	draining, maintenance bool
}

// operator does what operators want.
type operator struct {
	base
	desk      operatorDesk
	service   *service
	bans      *addressBans
	decoys    *decoys
	keys      *keyring
	directory *directory
	push      *push
}

// operatorDesk is what an operator does with sessions.
type operatorDesk interface {
	each(f func(*session))
	end(s *session, why endReason)
	endConn(conn codec.Conn, why endReason)
}

// take takes a command. CommandClose is seen by the Loop, which ends behind it.
func (o *operator) take(cmd *Command) {
	switch cmd.Kind {
	case CommandKick:
		o.endLogins(cmd.Name, commandReason(cmd.Result))
	case CommandAddressBans:
		o.bans.want()
	case CommandDrain:
		o.drain()
	case CommandVersions:
		o.service.versions = cmd.Versions
	case CommandSalts:
		o.decoys.saltsAre(cmd.Salts)
	case CommandClose:
		o.desk.each(func(s *session) { o.desk.end(s, endStopped) })
		o.keys.wipe()
	}
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
func (o *operator) endLogins(name storage.Name, why endReason) {
	if holder := o.keys.holder(name); holder != 0 {
		o.desk.endConn(holder, why)
	}
	o.keys.drop(name)
	o.directory.end(codec.Name(name))
	o.desk.each(func(s *session) {
		if s.name == name && (attempting.has(s.state) || s.welcomed()) {
			o.desk.end(s, why)
		}
	})
}

// attempting are the states of an account's clients that are not in: between hello and
// the verdict, and those that are brought up to date.
var attempting = in(StateLookingUp, StateProving, StateVerifying, StateRecording, StateReproving, StateReclaiming,
	StateConfirming, StateRotating, StateUpdating)

// endBannedAddresses ends the sessions of banned addresses. A client that has sent nothing
// yet is refused with its first message.
func (o *operator) endBannedAddresses() {
	o.desk.each(func(s *session) {
		if s.state != StateConnected && o.bans.find(s.peer) != nil {
			o.desk.end(s, endAddressBanned)
		}
	})
}

// drain ends the sessions that have nothing under way.
func (o *operator) drain() {
	o.service.draining = true
	o.desk.each(func(s *session) {
		if s.state == StateConnected || s.state == StateChoosing || s.state == StateInWorld || s.state == StateUpdating {
			o.desk.end(s, endDrained)
		}
	})
}

// ordered does what an operator wants of every login server.
func (o *operator) ordered(order *worlds.Order) {
	switch {
	case order.Maintenance != nil:
		o.service.maintenance = *order.Maintenance
		o.options.Logger.Info("maintenance", "on", o.service.maintenance)
	case order.Notice != "":
		o.push.notify(order.Notice)
	}
}
