package logic

import (
	"gatepass/codec"
	"gatepass/patches"
)

// filter is one rule about an event.
type filter struct {
	name  string
	event EventKind
	ask   func(c *Core, s *session) (Verdict, codec.Result)
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

func refuseWhileDraining(c *Core, _ *session) (Verdict, codec.Result) {
	if c.draining {
		return VerdictRefused, codec.ResultBusy
	}
	return VerdictPass, codec.ResultOK
}

func refuseBannedAddress(c *Core, s *session) (Verdict, codec.Result) {
	if ban := c.blocklist.find(s.peer, c.wall/1000); ban != nil {
		if ban.Until == 0 {
			return VerdictRefused, codec.ResultBanned
		}
		return VerdictRefused, codec.ResultSuspended
	}
	return VerdictPass, codec.ResultOK
}

func refuseInMaintenance(c *Core, _ *session) (Verdict, codec.Result) {
	if c.maintenance {
		return VerdictRefused, codec.ResultBusy
	}
	return VerdictPass, codec.ResultOK
}

// refuseBuild lets those pass who are let in, and those who can be brought up to date:
// they are offered the file once they have proven who they are, so that it is not
// there for everybody to take.
func refuseBuild(_ *Core, s *session) (Verdict, codec.Result) {
	switch v := s.version; {
	case v == nil || v.Allowed:
		return VerdictPass, codec.ResultOK
	case v.Update == nil || s.returning: // a reconnect has no words for an offer; a login has
		return VerdictRefused, codec.ResultVersionInvalid
	case s.native != nil && !s.native.signIn.TakesUpdates:
		return VerdictRefused, codec.ResultVersionUpdate
	}
	return VerdictPass, codec.ResultOK
}

// updateFirst deals with those who are too old. A token that has been shown is used up
// whatever comes then, so it is replaced before (rotated).
func updateFirst(c *Core, s *session) (Verdict, codec.Result) {
	if !s.tooOld() || s.byToken() {
		return VerdictPass, codec.ResultOK
	}
	c.become(s, StateUpdating)
	return VerdictHandled, codec.ResultOK
}

// refuseChangedFiles looks at the proof over the client's files, where the operator has
// said what they are. A client of which nothing is known has none to show.
func refuseChangedFiles(_ *Core, s *session) (Verdict, codec.Result) {
	if s.native != nil || s.version == nil || len(s.version.Known) == 0 {
		return VerdictPass, codec.ResultOK
	}
	if !patches.Intact(s.version.Known, (*[32]byte)(&s.attempt.exchange.A), &s.attempt.files) {
		return VerdictRefused, codec.ResultVersionInvalid
	}
	return VerdictPass, codec.ResultOK
}

// refuseWrongFactor refuses in the words for a wrong password, and counts like one.
func refuseWrongFactor(c *Core, s *session) (Verdict, codec.Result) {
	asked := s.attempt.factor != nil
	switch proven := c.factorProven(s); {
	case proven && asked:
		c.factors.succeed(s.name)
		return VerdictPass, codec.ResultOK
	case proven: // no factor was asked for: a token's sign-in, for one, says nothing about it
		return VerdictPass, codec.ResultOK
	case asked:
		c.factors.fail(s.name, c.now)
	}
	c.signal(Signal{Kind: SignalFactorFailed, session: s})
	return VerdictRefused, codec.ResultBadCredentials
}

func refuseBannedAccount(c *Core, s *session) (Verdict, codec.Result) {
	switch ban := &s.attempt.ban; {
	case !ban.Active(c.wall / 1000):
		return VerdictPass, codec.ResultOK
	case ban.Until == 0:
		return VerdictRefused, codec.ResultBanned
	default:
		return VerdictRefused, codec.ResultSuspended
	}
}
