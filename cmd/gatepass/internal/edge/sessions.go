package edge

import (
	"time"

	"gatepass/codec"
	"gatepass/logic"
	"gatepass/storage"
)

// sessions lets package admin reach the sessions of a login server.
type sessions struct{ edge *Edge }

// End ends all sessions of an account. Any goroutine.
func (s sessions) End(account storage.Name, result codec.Result) {
	s.command(logic.Command{Kind: logic.CommandKick, Name: account, Result: result})
}

// ReloadAddressBans has the logic read the address bans again. Any goroutine.
func (s sessions) ReloadAddressBans() {
	s.command(logic.Command{Kind: logic.CommandAddressBans})
}

// ReloadSalts has watchSalts look at the salts of the accounts again. Any goroutine.
func (s sessions) ReloadSalts() {
	select {
	case s.edge.newSalts <- struct{}{}:
	default: // a look is due already
	}
}

// command waits until the inbox has room. An import that replaces thousands of passwords
// can fill it; the logic catches up.
func (s sessions) command(c logic.Command) {
	for !s.edge.inbox.Command(c) {
		time.Sleep(logic.TickEvery)
	}
}
