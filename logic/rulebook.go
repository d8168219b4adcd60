package logic

import (
	"gatepass/guard"
	"gatepass/storage"
)

// DefaultRules are the rules of a login server, in order of priority: the first that
// objects decides. The cheap and the general come first. What a rule knows of an
// account may be used on EventLoginRequested only, once the password is proven: before, a
// refusal would tell a stranger that it exists. The second factor comes first there, so
// that the rules behind it answer the account's owner.
//
// signInsPerMinute is Options.SignInsPerMinute.
func DefaultRules(signInsPerMinute int) []Rule {
	return []Rule{
		{"drain", EventHello, refuseWhileDraining},
		{"address-ban", EventHello, refuseBannedAddress},
		{"maintenance", EventHello, refuseInMaintenance},
		{"version", EventHello, refuseBuild},
		{"rate", EventHello, refuseTooOften(signInsPerMinute)},
		{"second-factor", EventLoginRequested, refuseWrongFactor},
		{"account-ban", EventLoginRequested, refuseBannedAccount},
		{"update", EventLoginRequested, updateFirst},
		{"integrity", EventLoginRequested, refuseChangedFiles},
		{"account-ban-on-reconnect", EventReconnectRequested, refuseBannedAccount},
		{"drain-on-select", EventWorldSelected, refuseWhileDraining},
		{"maintenance-on-select", EventWorldSelected, refuseInMaintenance},
	}
}

func refuseWhileDraining(a *Attempt) Answer {
	if a.Draining() {
		return refuse(endBusy)
	}
	return Pass()
}

func refuseInMaintenance(a *Attempt) Answer {
	if a.Maintenance() {
		return refuse(endBusy)
	}
	return Pass()
}

func refuseBannedAddress(a *Attempt) Answer {
	if ban := a.AddressBan(); ban != nil {
		return refuseBan(ban)
	}
	return Pass()
}

func refuseBannedAccount(a *Attempt) Answer {
	if ban := a.AccountBan(); ban.Active(a.Unix()) {
		return refuseBan(&ban)
	}
	return Pass()
}

func refuseBan(ban *storage.Ban) Answer {
	if ban.Until == 0 {
		return refuse(endBanned)
	}
	return refuse(endSuspended)
}

// refuseBuild allows accepted builds, and those that can be brought up to date: these are
// offered the file once they have proven who they are, so that it is not there for
// everybody to take.
func refuseBuild(a *Attempt) Answer {
	switch v := a.Version(); {
	case v == nil || v.Allowed:
		return Pass()
	case v.Update == nil || a.Method() == ByEarlierKey: // a reconnect cannot be offered a file; a login can
		return refuse(endVersionInvalid)
	case !a.TakesUpdates():
		return refuse(endVersionOld)
	}
	return Pass()
}

// updateFirst brings clients up to date that are too old. A token that has been shown is
// used up whatever comes then, so the next one is stored before (rotating).
func updateFirst(a *Attempt) Answer {
	if !a.TooOld() || a.Method() == ByToken {
		return Pass()
	}
	return Update()
}

// refuseChangedFiles checks the proof over the client's files, where the operator has said
// what they are. A native client has none.
func refuseChangedFiles(a *Attempt) Answer {
	v := a.Version()
	if a.Method() != ByPassword || v == nil || len(v.Known) == 0 || a.FilesIntact(v.Known) {
		return Pass()
	}
	return refuse(endVersionInvalid)
}

// refuseWrongFactor refuses in the words for a wrong password, and counts like one.
func refuseWrongFactor(a *Attempt) Answer {
	if a.SecondFactor() {
		return Pass()
	}
	return refuse(endFactorFailed)
}

// tokenShare is how many sign-ins by token count as one by password: a password costs
// most of a millisecond of arithmetic, whoever asks for it, and a token a little.
const tokenShare = 10

// refuseTooOften refuses native clients whose network signs in more often a minute than
// most; 0 is no limit. A token counts a tenth of a password. Existing clients cost less
// and do not count.
func refuseTooOften(most int) func(a *Attempt) Answer {
	passwords, tokens := guard.NewRates(), guard.NewRates()
	return func(a *Attempt) Answer {
		taken := true
		switch a.Method() {
		case ByNativePassword:
			taken = passwords.Take(a.Peer(), a.Now(), most)
		case ByToken:
			taken = tokens.Take(a.Peer(), a.Now(), tokenShare*most)
		}
		if !taken {
			return refuse(endBusy)
		}
		return Pass()
	}
}
