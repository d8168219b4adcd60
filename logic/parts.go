package logic

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// clock is the time that the last tick told, in milliseconds.
type clock struct {
	// now is of a clock that only goes forward, wall the time of day.
	now, wall int64
	// whole is the next time at which a tick is a whole one.
	whole int64
}

// base is what every part of the Core may use: the options, the time, the list of what
// this round sends to the pools, and the counters.
type base struct {
	options *Options
	*clock
	effects *effects
	count   *counters
}

// desk is what a part may do with sessions.
type desk interface {
	// session returns the session of a connection, or nil.
	session(conn codec.Conn) *session
	// each calls f for every session.
	each(f func(*session))
	// say sends a reply, sendFrame bytes that are encoded already. Without room in the
	// send queue the session ends.
	say(s *session, r codec.Reply)
	sendFrame(s *session, frame []byte)
	// become puts a session into another state.
	become(s *session, id StateID)
	// end ends a session; see endReason.
	end(s *session, why endReason)
	endSaying(s *session, why endReason, text string)
}

// askOf says for whom a list of worlds is.
func askOf(s *session) worlds.Ask {
	return worlds.Ask{Build: s.build, Peer: s.peer, Characters: s.characters}
}
