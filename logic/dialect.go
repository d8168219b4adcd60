package logic

import (
	"time"

	"gatepass/auth"
	"gatepass/codec"
	"gatepass/storage"
)

// dialect is what differs between the two protocols of a login server. All else is the
// same for both. A dialect holds no data: the session does.
type dialect interface {
	// hello notes what the client's first message says beside its name and build.
	hello(s *session, m *codec.Message)
	// lookup returns the storage request for what the sign-in needs.
	lookup(s *session) storage.Op
	// found begins the sign-in with what the store has of the account: no account, if
	// r.Account is nil.
	found(c *Core, s *session, r *storage.Result)
	// verify hands the client's proof to the auth pool.
	verify(c *Core, s *session)
	// proven goes on when the auth pool has found the proof right.
	proven(c *Core, s *session, r *auth.Result)
	// admit lets a client in.
	admit(c *Core, s *session)
	// serve handles a message of a client that is in.
	serve(c *Core, s *session, m *codec.Message)
	// offerUpdate offers the client the file that brings it up to date.
	offerUpdate(c *Core, s *session)
	// fileSent goes on when the client was sent the whole file.
	fileSent(c *Core, s *session)
	// placeReply is the message with the client's place in the queue for the file, if
	// there is one.
	placeReply(place uint64) (r codec.Reply, ok bool)
	// pushWorlds adds to g what the client is to be sent of the list of worlds, and
	// missedWorlds notes that it did not get it.
	pushWorlds(p *push, s *session, g *pushGroups)
	missedWorlds(s *session)
	// lastReply puts the last message for the client into c.reply. It returns false if
	// the protocol has no such message in the session's state.
	lastReply(c *Core, s *session, e *ending) bool
	// closed releases what a session holds whose connection is closed, and returns how
	// long its key is kept.
	closed(c *Core, s *session) (grace time.Duration)
}

// dialects has those of the protocols that a login server speaks.
var dialects = [codec.ProtocolCount]dialect{codec.ProtocolGrunt: gruntDialect{}, codec.ProtocolNative: nativeDialect{}}

func (s *session) dialect() dialect { return dialects[s.protocol] }

// SignInMethod is how a client proves who it is.
type SignInMethod uint8

const (
	// ByPassword: SRP6, as existing clients do.
	ByPassword SignInMethod = iota
	// ByEarlierKey: by the session key of an earlier login, as existing clients do.
	ByEarlierKey
	// ByNativePassword: SRP-6a.
	ByNativePassword
	// ByToken: by the token of a remembered device.
	ByToken
)
