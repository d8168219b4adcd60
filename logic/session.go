package logic

import (
	"net/netip"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/logic/factor"
	"gatepass/storage"
	"gatepass/worlds"
)

// session is what is known of one connection. It belongs to the logic goroutine.
type session struct {
	conn     codec.Conn
	protocol codec.Protocol
	state    StateID
	// request is the kind of the client's last message: a refusal answers it.
	request codec.Kind
	// method is how the client proves who it is.
	method SignInMethod
	// takesUpdates: the client can be offered a file.
	takesUpdates bool
	build        uint16
	// armed is the tick of the wheel entry that will look at this session, or
	// 0. Invariant: while the session lives, an entry is there.
	armed int64
	// deadline is when the session has been in its state for too long, in
	// milliseconds of the ticks' clock.
	deadline int64
	name     storage.Name
	// characters is how many the account has on each world; nil for none.
	characters []worlds.WorldCharacters
	// attempt is what is needed from the account's lookup to the end of the sign-in.
	attempt *attempt
	// native is nil for clients of the other protocol.
	native *nativeSession
	// version is what follows from what the client runs; nil for a client that is let in
	// and whose files are not checked.
	version *version
	peer    netip.Addr
}

// attempt is one sign-in. Attempts are used again and wiped in between.
type attempt struct {
	ephemeral srp6.Ephemeral
	exchange  srp6.Exchange
	// known tells whether the account exists. It decides only whether a failed proof is
	// recorded.
	known bool
	// sent is which second factors the client says it sent.
	sent codec.Factors
	ban  storage.Ban
	// files is the client's proof over its files.
	files [20]byte
	// factor is what is to be proven beside the password, or nil.
	factor *factor.Factor
	// challenge is the random half of a reconnect, reproof the client's answer,
	// and pass the claim made with it, zero for none.
	challenge [16]byte
	reproof   codec.Reconnect
	pass      worlds.PassID
	// refuseAt is when a failed reconnect is refused, in milliseconds of the ticks' clock.
	refuseAt int64
	// answered: the directory has said that there is no key, or the key's holder that the
	// proof is wrong. asked is when the directory was asked last, in milliseconds of the
	// ticks' clock. slow is how many of its answers took long.
	answered bool
	asked    int64
	slow     uint8
	// key and m2 are the outcome while the login's record is being stored.
	key srp6.SessionKey
	m2  srp6.Proof
	// native is set for native clients once the store has answered.
	native *nativeAttempt
}

func (a *attempt) wipe() {
	a.ephemeral.Wipe()
	a.key.Wipe()
	if a.factor != nil {
		a.factor.Wipe()
	}
	if a.native != nil {
		a.native.wipe()
	}
	*a = attempt{}
}

// attemptsKept is how many free attempts are kept: as many as a busy second needs.
const attemptsKept = 1024

// tableChunk is how many sessions are allocated together. Pointers into a chunk stay valid
// while the table grows.
const tableChunk = 256

// sessionTable finds sessions by their connections' handles. It is indexed as the reactors'
// slots are, so it grows with them and needs no map.
type sessionTable struct {
	reactors [][]*[tableChunk]session
	live     int
	attempts []*attempt // free ones
}

// open makes the session of a new connection.
func (t *sessionTable) open(conn codec.Conn) *session {
	for len(t.reactors) <= conn.Reactor() {
		t.reactors = append(t.reactors, nil)
	}
	chunks := &t.reactors[conn.Reactor()]
	for len(*chunks) <= conn.Slot()/tableChunk {
		*chunks = append(*chunks, new([tableChunk]session))
	}
	s := &(*chunks)[conn.Slot()/tableChunk][conn.Slot()%tableChunk]
	*s = session{conn: conn}
	t.live++
	return s
}

// get returns the session of a handle, or nil when it is gone.
func (t *sessionTable) get(conn codec.Conn) *session {
	if s := t.inSlot(conn); s != nil && s.conn == conn {
		return s
	}
	return nil
}

// inSlot returns the session in a handle's slot, whatever its generation, or nil.
func (t *sessionTable) inSlot(conn codec.Conn) *session {
	if conn.Reactor() >= len(t.reactors) {
		return nil
	}
	chunks := t.reactors[conn.Reactor()]
	if conn.Slot()/tableChunk >= len(chunks) {
		return nil
	}
	if s := &chunks[conn.Slot()/tableChunk][conn.Slot()%tableChunk]; s.conn != 0 {
		return s
	}
	return nil
}

// close frees a session's place.
func (t *sessionTable) close(s *session) {
	t.endAttempt(s)
	*s = session{}
	t.live--
}

// each calls f for every session; f may close the one it is given.
func (t *sessionTable) each(f func(*session)) {
	for _, chunks := range t.reactors {
		for _, chunk := range chunks {
			for i := range chunk {
				if chunk[i].conn != 0 {
					f(&chunk[i])
				}
			}
		}
	}
}

// beginAttempt gives a session room for an attempt.
func (t *sessionTable) beginAttempt(s *session) *attempt {
	if n := len(t.attempts); n > 0 {
		s.attempt = t.attempts[n-1]
		t.attempts = t.attempts[:n-1]
	} else {
		s.attempt = new(attempt)
	}
	return s.attempt
}

// endAttempt wipes a session's attempt, if it has one.
func (t *sessionTable) endAttempt(s *session) {
	if s.attempt == nil {
		return
	}
	s.attempt.wipe()
	if len(t.attempts) < attemptsKept {
		t.attempts = append(t.attempts, s.attempt)
	}
	s.attempt = nil
}
