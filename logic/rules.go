package logic

import (
	"fmt"
	"net/netip"
	"sync/atomic"

	"gatepass/codec"
	"gatepass/patches"
	"gatepass/storage"
)

// EventKind tells what a client wants.
type EventKind uint8

const (
	// EventHello: a client has said which account it wants and what it runs;
	// nothing is proven yet, so no rule may look at the account.
	EventHello EventKind = iota
	// EventLoginRequested: a client has proven its password and wants in.
	EventLoginRequested
	// EventReconnectRequested: a client has proven the key of an earlier login and
	// wants in.
	EventReconnectRequested
	// EventWorldSelected: a native client has selected a world.
	EventWorldSelected
	// EventKindCount is the number of kinds, for tables.
	EventKindCount
)

var eventNames = [EventKindCount]string{"hello", "login-requested", "reconnect-requested", "world-selected"}

func (k EventKind) String() string {
	if k < EventKindCount {
		return eventNames[k]
	}
	return fmt.Sprintf("event(%d)", uint8(k))
}

// Event is what a client wants and rules may refuse.
type Event struct {
	Kind EventKind
	conn codec.Conn
}

// Rule is one rule about who may log in.
type Rule struct {
	// Name is the rule's in the metrics.
	Name string
	// On is what the rule is about.
	On EventKind
	// Ask decides. It is called on the logic goroutine and must not keep the attempt.
	Ask func(a *Attempt) Answer
}

// Answer is what a rule decides.
type Answer struct {
	verdict verdict
	why     endReason
}

type verdict uint8

const (
	// verdictPass: the next rule is asked.
	verdictPass verdict = iota
	// verdictUpdate: the client is brought up to date instead of being let in.
	verdictUpdate
	// verdictRefused: the session ends. A client that selects a world stays where it is.
	verdictRefused
)

// Pass has no objection: the next rule is asked.
func Pass() Answer { return Answer{verdict: verdictPass} }

// Update brings the client up to date instead of letting it in.
func Update() Answer { return Answer{verdict: verdictUpdate} }

// Refuse tells the client no, with a result that both protocols know.
func Refuse(result codec.Result) Answer {
	return Answer{verdictRefused, refusalReasons[result]}
}

// refuse is Refuse with a reason of the logic.
func refuse(why endReason) Answer { return Answer{verdictRefused, why} }

// refusalReasons are why a session ends that a rule refuses. Other results are busy.
var refusalReasons = refusalTable()

func refusalTable() (table [codec.ResultCount]endReason) {
	for i := range table {
		table[i] = endBusy
	}
	for _, why := range []endReason{endWrongCredentials, endBanned, endSuspended, endVersionInvalid, endVersionOld} {
		table[endings[why].results[codec.ProtocolGrunt]] = why
	}
	return table
}

// Attempt is what a rule may look at: a client that wants something, and this server. A
// rule cannot change either.
type Attempt struct {
	c *Core
	s *session
}

// Now is the time of the ticks in milliseconds, Unix the time of day in seconds.
func (a *Attempt) Now() int64  { return a.c.now }
func (a *Attempt) Unix() int64 { return a.c.wall / 1000 }

// Peer is the client's address.
func (a *Attempt) Peer() netip.Addr { return a.s.peer }

// Protocol is the one that the client speaks.
func (a *Attempt) Protocol() codec.Protocol { return a.s.protocol }

// Method is how the client proves who it is.
func (a *Attempt) Method() SignInMethod { return a.s.method }

// TooOld tells whether the client must be brought up to date, TakesUpdates whether it can
// be offered a file.
func (a *Attempt) TooOld() bool       { return a.s.tooOld() }
func (a *Attempt) TakesUpdates() bool { return a.s.takesUpdates }

// Account is the name that the client has said. Whether there is such an account is known
// from EventLoginRequested on.
func (a *Attempt) Account() storage.Name { return a.s.name }

// Draining says that this server stops soon, Maintenance that an operator wants nobody to
// log in.
func (a *Attempt) Draining() bool    { return a.c.service.draining }
func (a *Attempt) Maintenance() bool { return a.c.service.maintenance }

// AddressBan is a ban that holds for the client's address now, or nil.
func (a *Attempt) AddressBan() *storage.Ban { return a.c.bans.find(a.s.peer) }

// AccountBan is the account's ban, which may be over. Not for EventHello.
func (a *Attempt) AccountBan() storage.Ban { return a.s.attempt.ban }

// Version is what follows from what the client runs, or nil for a client that is let in
// and whose files are not checked.
func (a *Attempt) Version() *patches.Verdict {
	if a.s.version == nil {
		return nil
	}
	return &a.s.version.Verdict
}

// SecondFactor tells whether the client gave the second factor that it was asked for, and
// counts a wrong one. For EventLoginRequested only, and once.
func (a *Attempt) SecondFactor() bool {
	return a.c.factors.Check(a.s.name, a.s.attempt.factor, a.s.attempt.sent, a.c.now, a.c.wall)
}

// FilesIntact tells whether the client's files are one of the known ones. For
// EventLoginRequested of an existing client only.
func (a *Attempt) FilesIntact(known [][20]byte) bool {
	return patches.Intact(known, (*[32]byte)(&a.s.attempt.exchange.A), &a.s.attempt.files)
}

// rules asks the rules about what clients want.
type rules struct {
	c *Core
	// list and refused are fixed after construction.
	list []Rule
	// refused counts refusals, by rule.
	refused []atomic.Uint64
	events  []Event
	// attempt is what is asked about now: a field, so that it is not allocated.
	attempt Attempt
}

// counts is how many clients each rule has refused; anywhere.
func (r *rules) counts() map[string]uint64 {
	counts := make(map[string]uint64, len(r.list))
	for i := range r.list {
		counts[r.list[i].Name] = r.refused[i].Load()
	}
	return counts
}

// raise puts an event at the end of the queue. It is processed before the input that
// raised it is done, but after every event raised before.
func (r *rules) raise(kind EventKind, s *session) {
	r.events = append(r.events, Event{kind, s.conn})
}

// run processes events until none is left.
func (r *rules) run() {
	for i := 0; i < len(r.events); i++ { // processing may append
		r.process(r.events[i])
	}
	r.events = r.events[:0]
}

// reset forgets the events, after a bug.
func (r *rules) reset() { r.events = r.events[:0] }

// process asks the rules of an event in their order. When all pass, the session's state
// goes on.
func (r *rules) process(e Event) {
	s := r.c.session(e.conn)
	if s == nil || s.state == StateLeaving {
		return
	}
	r.attempt = Attempt{r.c, s}
	for i := range r.list {
		rule := &r.list[i]
		if rule.On != e.Kind {
			continue
		}
		switch answer := rule.Ask(&r.attempt); answer.verdict {
		case verdictUpdate:
			r.c.become(s, StateUpdating)
			return
		case verdictRefused:
			r.refused[i].Add(1)
			if e.Kind == EventWorldSelected {
				r.c.selection.refuse(s)
			} else {
				r.c.end(s, answer.why)
			}
			return
		}
	}
	r.c.stepSession(s, Input{Kind: inputPassed})
}
