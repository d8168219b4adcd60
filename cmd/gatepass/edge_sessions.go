package main

import (
	"time"

	"gatepass/codec"
	"gatepass/logic"
	"gatepass/storage"
)

// edgeSessions lets package admin reach the sessions of a login server.
type edgeSessions struct{ edge *edge }

// End ends all sessions of an account. Any goroutine.
func (s edgeSessions) End(account storage.Name, result codec.Result) {
	s.command(logic.Command{Kind: logic.CommandKick, Name: account, Result: result})
}

// ReloadAddressBans has the logic read the address bans again. Any goroutine.
func (s edgeSessions) ReloadAddressBans() {
	s.command(logic.Command{Kind: logic.CommandAddressBans})
}

// ReloadSalts has watchSalts look at the salts of the accounts again. Any goroutine.
func (s edgeSessions) ReloadSalts() {
	select {
	case s.edge.newSalts <- struct{}{}:
	default: // a look is due already
	}
}

// command waits until the inbox has room. An import that replaces thousands of passwords
// can fill it; the logic catches up.
func (s edgeSessions) command(c logic.Command) {
	for !s.edge.inbox.Command(c) {
		time.Sleep(logic.TickEvery)
	}
}
