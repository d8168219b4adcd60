package logic

import (
	"gatepass/patches"
)

// filter is one rule about an event.
type filter struct {
	name  string
	event EventKind
	ask   func(c *Core, s *session) (Verdict, endReason)
}

// filterCount is how many filters there are.
const filterCount = 12

// filters are all rules, in order of priority: the first that does not pass
// ends an event. The cheap and the general come first. What a rule knows of an
// account may be used on EventLoginRequested only, once the password is proven:
// before, a refusal would tell a stranger that it exists. The second factor comes
// first there, so that the rules behind it speak to the account's owner.
var filters = [filterCount]filter{
	{"drain", EventHello, refuseWhileDraining},
	{"address-ban", EventHello, refuseBannedAddress},
	{"maintenance", EventHello, refuseInMaintenance},
	{"version", EventHello, refuseBuild},
	{"rate", EventHello, refuseTooOften},
	{"second-factor", EventLoginRequested, refuseWrongFactor},
	{"account-ban", EventLoginRequested, refuseBannedAccount},
	{"update", EventLoginRequested, updateFirst},
	{"integrity", EventLoginRequested, refuseChangedFiles},
	{"account-ban-on-reconnect", EventReconnectRequested, refuseBannedAccount},
	{"drain-on-select", EventWorldSelected, refuseWhileDraining},
	{"maintenance-on-select", EventWorldSelected, refuseInMaintenance},
}

func refuseWhileDraining(c *Core, _ *session) (Verdict, endReason) {
	if c.draining {
		return VerdictRefused, endBusy
	}
	return VerdictPass, 0
}

func refuseBannedAddress(c *Core, s *session) (Verdict, endReason) {
	if ban := c.blocklist.find(s.peer, c.wall/1000); ban != nil {
		if ban.Until == 0 {
			return VerdictRefused, endBanned
		}
		return VerdictRefused, endSuspended
	}
	return VerdictPass, 0
}

func refuseInMaintenance(c *Core, _ *session) (Verdict, endReason) {
	if c.maintenance {
		return VerdictRefused, endBusy
	}
	return VerdictPass, 0
}

// refuseBuild lets those pass who are let in, and those who can be brought up to date:
// they are offered the file once they have proven who they are, so that it is not
// there for everybody to take.
func refuseBuild(_ *Core, s *session) (Verdict, endReason) {
	switch v := s.version; {
	case v == nil || v.Allowed:
		return VerdictPass, 0
	case v.Update == nil || s.method == byEarlierKey: // a reconnect cannot be offered a file; a login can
		return VerdictRefused, endVersionInvalid
	case !s.takesUpdates:
		return VerdictRefused, endVersionOld
	}
	return VerdictPass, 0
}

// updateFirst deals with those who are too old. A token that has been shown is used up
// whatever comes then, so it is replaced before (rotated).
func updateFirst(c *Core, s *session) (Verdict, endReason) {
	if !s.tooOld() || s.method == byToken {
		return VerdictPass, 0
	}
	c.become(s, StateUpdating)
	return VerdictHandled, 0
}

// refuseChangedFiles looks at the proof over the client's files, where the operator has
// said what they are. A client of which nothing is known has none to show.
func refuseChangedFiles(_ *Core, s *session) (Verdict, endReason) {
	if s.method != byPassword || s.version == nil || len(s.version.Known) == 0 {
		return VerdictPass, 0
	}
	if !patches.Intact(s.version.Known, (*[32]byte)(&s.attempt.exchange.A), &s.attempt.files) {
		return VerdictRefused, endVersionInvalid
	}
	return VerdictPass, 0
}

// refuseWrongFactor refuses in the words for a wrong password, and counts like one.
func refuseWrongFactor(c *Core, s *session) (Verdict, endReason) {
	asked := s.attempt.factor != nil
	switch proven := c.factorProven(s); {
	case proven && asked:
		c.factors.succeed(s.name)
		return VerdictPass, 0
	case proven: // no factor was asked for: a token's sign-in, for one, says nothing about it
		return VerdictPass, 0
	case asked:
		c.factors.fail(s.name, c.now)
	}
	c.signal(Signal{Kind: SignalFactorFailed, session: s})
	return VerdictRefused, endWrongCredentials
}

func refuseBannedAccount(c *Core, s *session) (Verdict, endReason) {
	switch ban := &s.attempt.ban; {
	case !ban.Active(c.wall / 1000):
		return VerdictPass, 0
	case ban.Until == 0:
		return VerdictRefused, endBanned
	default:
		return VerdictRefused, endSuspended
	}
}
