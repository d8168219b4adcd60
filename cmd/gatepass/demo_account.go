package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"gatepass/auth/srp6"
	"gatepass/storage"
)

// The demo account. It exists in `gatepass dev` only.
const (
	demoName     = "DEMO"
	demoPassword = "DEMO"
)

// demoFile, in the data folder, says that the demo account was made there once: whoever
// deletes it does not find it again at the next start.
const demoFile = "demo-account"

// demoAccount is how the demo account is after a start.
type demoAccount uint8

const (
	// demoOpen: it has the password that is told.
	demoOpen demoAccount = iota
	// demoOwned: somebody gave it a password of their own.
	demoOwned
	// demoGone: it was deleted.
	demoGone
)

// text tells it to people.
func (d demoAccount) text() string {
	switch d {
	case demoOwned:
		return "demo account " + demoName + ", with the password that you gave it"
	case demoGone:
		return "the demo account was deleted; make it anew with: gatepass account add " + demoName
	}
	return "demo account " + demoName + ", password " + demoPassword
}

// named tells it to programs.
func (d demoAccount) named() []any {
	switch d {
	case demoOwned:
		return []any{"account", demoName, "state", "password changed"}
	case demoGone:
		return []any{"account", demoName, "state", "deleted"}
	}
	return []any{"account", demoName, "state", "as made", "password", demoPassword}
}

// addDemo makes the demo account at the first start of a data folder, and gives one of
// before there were native verifiers its own. It looks first: to make a verifier takes a
// tenth of a second, and memory that is given back late.
func (e *edge) addDemo(ctx context.Context) (demoAccount, error) {
	note := filepath.Join(e.config.Data, demoFile)
	account, err := e.manager.Show(ctx, demoName)
	state := demoOpen
	switch {
	case errors.Is(err, storage.ErrNotFound):
		if _, was := os.Stat(note); was == nil {
			return demoGone, nil
		}
		err = e.manager.Add(ctx, demoName, demoPassword)
	case err != nil:
	case !opensDemo(&account.Grunt):
		state = demoOwned
	case len(account.Others) == 0:
		err = e.manager.SetPassword(ctx, demoName, demoPassword)
	}
	if err != nil {
		return state, err
	}
	return state, os.WriteFile(note, []byte("The demo account was made here. Without this file the next 'gatepass dev' makes it again.\n"), 0o600)
}

// opensDemo tells whether the password is still the demo account's: an account that
// somebody gave another one is his.
func opensDemo(g *storage.GruntVerifier) bool {
	salt := srp6.Salt(g.Salt)
	return g.Set && srp6.NewVerifier(&salt, demoName, demoPassword) == srp6.Verifier(g.Verifier)
}
