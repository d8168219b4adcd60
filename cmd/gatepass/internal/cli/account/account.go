package account

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
)

// exitBadRows is the exit code of an import that refused some rows.
const exitBadRows = 3

// commands is the state that all account commands share.
type commands struct {
	dataDir string
	// manager has the command's options for its Manager. with adds its own.
	manager accounts.Options
}

// Command returns the command account with its subcommands.
func Command() *cobra.Command {
	f := &commands{}
	c := &cobra.Command{
		Use:   "account",
		Short: "Add, show, ban, import and export accounts",
		Long: `The account commands work on the accounts in a server's data folder. While a
server runs they ask it, through the socket gatepass.sock in that folder.
Otherwise they open the accounts themselves. The result is the same.

Passwords and PINs are never given on the command line: the commands ask for them,
or read them from standard input with --password-stdin and --pin-stdin. The store
keeps verifiers, not passwords.

Exit codes: 0 done, 1 failed, 2 the command line is invalid, 3 an import refused
some rows, 130 interrupted.`,
		Example: `  gatepass account add ALICE
  gatepass account import --data /var/lib/gatepass players.csv
  gatepass account ban MALLORY --for 72h --reason "gold selling"`,
	}
	c.PersistentFlags().StringVar(&f.dataDir, "data", "data", "the server's data `folder`")
	c.AddCommand(f.addCommand(), f.passwdCommand(), f.factorCommand(), f.devicesCommand(), f.showCommand(), f.listCommand(), f.banCommand(),
		f.unbanCommand(), f.deleteCommand(), f.importCommand(), f.exportCommand())
	return c
}

// with calls work with the accounts of the data folder and closes them afterwards.
// create makes a missing folder.
func (f *commands) with(ctx context.Context, create bool, work func(*admin.Handle) error) (err error) {
	return f.open(ctx, admin.OpenOptions{Create: create}, work)
}

// read is with for commands that change nothing. It does not write to the folder, whose
// disk may be full or read-only.
func (f *commands) read(ctx context.Context, work func(*admin.Handle) error) error {
	return f.open(ctx, admin.OpenOptions{ReadOnly: true}, work)
}

func (f *commands) open(ctx context.Context, o admin.OpenOptions, work func(*admin.Handle) error) (err error) {
	f.manager.Random = rand.Reader
	o.DataDir, o.Engine, o.Manager = f.dataDir, config.AccountEngine(f.dataDir, 0), f.manager
	h, err := admin.Open(ctx, o)
	if err != nil {
		return exit.Interrupted(ctx, err)
	}
	// A store that fails to close is an error: its data may be incomplete.
	defer func() { err = exit.Interrupted(ctx, errors.Join(err, h.Close())) }()
	return work(h)
}

// oneName accepts exactly one argument, an account.
func oneName(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return exit.Usage(fmt.Errorf("%s takes one account name, got %d arguments (see '%s --help')", c.CommandPath(), len(args), c.CommandPath()))
}
