package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/storage"
)

// exitDamaged is the exit code of 'store check' for a damaged store, and of 'store
// salvage' if something could not be read.
const exitDamaged = 4

// commands has what the store commands share.
type commands struct{ dataDir string }

// Command returns the command store with its subcommands.
func Command() *cobra.Command {
	f := &commands{}
	c := &cobra.Command{
		Use:   "store",
		Short: "Check the account store for damage, save what can be read of a damaged store",
		Long: `The store commands work on the folder accounts in a server's data folder, while
no server runs. They do not change it; only 'check --new-head' does.

A server or command that finds the store damaged does not open it. Put a backup
copy of the whole folder in its place. Without one: 'check' lists what is damaged,
'salvage' writes what can still be read to a file for 'gatepass account import'.

Exit codes: 0 done, 1 failed, 2 the command line is invalid, 4 damage was found.`,
		Example: `  gatepass store check --data /var/lib/gatepass
  gatepass store salvage --data /var/lib/gatepass saved.ndjson
  gatepass account import --data /var/lib/gatepass-new saved.ndjson`,
	}
	c.PersistentFlags().StringVar(&f.dataDir, "data", "data", "the server's data `folder`")
	c.AddCommand(f.checkCommand(), f.salvageCommand())
	return c
}

func (f *commands) maintainer() storage.Maintainer { return config.AccountEngine(f.dataDir, 0) }

// opening explains an error that keeps a store command from opening the store.
func (f *commands) opening(err error) error {
	switch {
	case errors.Is(err, storage.ErrLocked):
		return fmt.Errorf("the accounts in %s are in use: stop the server or command that uses them, then try again", f.dataDir)
	case errors.Is(err, storage.ErrNoStore):
		return fmt.Errorf("%s holds no account store; name the server's data folder with --data", f.dataDir)
	}
	return err
}

func (f *commands) checkCommand() *cobra.Command {
	var asJSON, newHead bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Read the whole account store and list what is damaged",
		Long: `Reads every file of the account store, verifies its checksums, records and references,
and counts them. It changes nothing. A large store takes some seconds for each gigabyte.

--new-head is for a store in which only the file gatepass.head is damaged or missing.
That file says how much was acknowledged; without it nobody can tell whether the
accounts that were changed last are there. A backup copy is better.`,
		Example: "  gatepass store check\n  gatepass store check --json | jq .accounts",
		Args:    terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if newHead {
				if err := f.maintainer().RenewHead(); err != nil {
					return f.opening(err)
				}
			}
			report, err := f.maintainer().Check(c.Context())
			if err != nil {
				return exit.Interrupted(c.Context(), f.opening(err))
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(report)
			} else {
				err = printCheck(c.OutOrStdout(), report)
			}
			if n := len(report.Faults); err == nil && n > 0 {
				err = exit.WithCode(exitDamaged, fmt.Errorf("the account store is damaged (%s); put a backup copy of %s in its place, or save what can be read with 'gatepass store salvage FILE'",
					terminal.Count(uint32(n), "fault", "faults"), admin.StorePath(f.dataDir)))
			}
			return err
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print one JSON object")
	c.Flags().BoolVar(&newHead, "new-head", false, "first make a new head record, if nothing else is damaged")
	return c
}

func printCheck(out io.Writer, r *storage.CheckReport) error {
	_, err := fmt.Fprintf(out, `tables        %d
logs          %d
bytes         %d
accounts      %d
login records %d
devices       %d
address bans  %d
faults        %d
`, r.Tables, r.Logs, r.Bytes, r.Accounts, r.Logins, r.Devices, r.AddressBans, len(r.Faults))
	for _, f := range r.Faults {
		if err == nil {
			_, err = fmt.Fprintf(out, "  %s\n", f)
		}
	}
	return err
}
