package roles

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"gatepass/accounts"
	"gatepass/auth/srp6"
	"gatepass/storage"
)

// The demo account. It exists in `gatepass dev` only.
const (
	demoName     = "DEMO"
	demoPassword = "DEMO"
)

// demoFile is the file in the data folder that says that the demo account was made there
// once. An operator who deletes the account does not find it again after the next start.
const demoFile = "demo-account"

// demoAccount is the state of the demo account after a start.
type demoAccount uint8

const (
	// demoOpen: it has the password that is printed.
	demoOpen demoAccount = iota
	// demoOwned: it has another password, which somebody gave it.
	demoOwned
	// demoGone: it was deleted.
	demoGone
)

// text returns the state as a sentence for people.
func (d demoAccount) text() string {
	switch d {
	case demoOwned:
		return "demo account " + demoName + ", with the password that you gave it"
	case demoGone:
		return "the demo account was deleted; make it anew with: gatepass account add " + demoName
	}
	return "demo account " + demoName + ", password " + demoPassword
}

// named returns the state as names and values for programs.
func (d demoAccount) named() []any {
	switch d {
	case demoOwned:
		return []any{"account", demoName, "state", "password changed"}
	case demoGone:
		return []any{"account", demoName, "state", "deleted"}
	}
	return []any{"account", demoName, "state", "as made", "password", demoPassword}
}

// addDemo makes the demo account at the first start of a data folder. It also gives a
// native verifier to a demo account of a version that made none. It looks the account up
// first, because to make a verifier takes a tenth of a second and much memory.
func addDemo(ctx context.Context, m *accounts.Manager, data string) (demoAccount, error) {
	note := filepath.Join(data, demoFile)
	account, err := m.Show(ctx, demoName)
	state := demoOpen
	switch {
	case errors.Is(err, storage.ErrNotFound):
		if _, was := os.Stat(note); was == nil {
			return demoGone, nil
		}
		err = m.Add(ctx, demoName, demoPassword)
	case err != nil:
	case !opensDemo(&account.Grunt):
		state = demoOwned
	case len(account.Others) == 0:
		err = m.SetPassword(ctx, demoName, demoPassword)
	}
	if err != nil {
		return state, err
	}
	return state, os.WriteFile(note, []byte("The demo account was made here. Without this file the next 'gatepass dev' makes it again.\n"), 0o600)
}

// opensDemo reports whether an account has the password of the demo account.
func opensDemo(g *storage.GruntVerifier) bool {
	salt := srp6.Salt(g.Salt)
	return g.Set && srp6.NewVerifier(&salt, demoName, demoPassword) == srp6.Verifier(g.Verifier)
}
