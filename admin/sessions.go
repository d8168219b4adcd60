package admin

import (
	"gatepass/accounts"
	"gatepass/codec"
	"gatepass/storage"
)

// Sessions is a login server, as far as changes of accounts concern it. Its methods are
// called from any goroutine and may wait until the login server has room.
type Sessions interface {
	// End ends all sessions of an account. Clients are told the result; ResultOK stands
	// for none.
	End(account storage.Name, result codec.Result)
	// ReloadAddressBans reads the address bans again, and ends the sessions that they
	// forbid.
	ReloadAddressBans()
	// ReloadSalts looks again at the salts of the accounts.
	ReloadSalts()
}

// Follow returns the Options.OnChange of an accounts.Manager that lets a login server
// follow the changes. It is the one place that decides which change ends whose sessions.
func Follow(s Sessions) func(accounts.Change) {
	return func(c accounts.Change) {
		switch c.Kind {
		case accounts.ChangeAdd:
			s.ReloadSalts()
		case accounts.ChangePassword:
			s.ReloadSalts()
			s.End(c.Name, codec.ResultOK)
		case accounts.ChangeDelete, accounts.ChangeFactors, accounts.ChangeDevices:
			s.End(c.Name, codec.ResultOK)
		case accounts.ChangeBan:
			s.End(c.Name, banResult(&c.Ban))
		case accounts.ChangeBanAddress, accounts.ChangeUnbanAddress:
			s.ReloadAddressBans()
		case accounts.ChangeUnban: // the account has no session
		}
	}
}

// banResult is what clients of a banned account are told.
func banResult(b *storage.Ban) codec.Result {
	if b.Until != 0 {
		return codec.ResultSuspended
	}
	return codec.ResultBanned
}
