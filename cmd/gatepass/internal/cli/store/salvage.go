package store

import (
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/storage"
)

// salvageFlags are the flags of salvage.
type salvageFlags struct {
	*commands
	force bool
}

func (f *commands) salvageCommand() *cobra.Command {
	s := &salvageFlags{commands: f}
	c := &cobra.Command{
		Use:   "salvage FILE",
		Short: "Write what can be read of a damaged account store to a file",
		Long: `Reads each file of the account store by itself, also after a damaged part, and writes
every account and address ban that it finds to FILE, as NDJSON for 'gatepass account
import'. Keep FILE as safe as the accounts themselves. FILE.lost lists what could not be
read, one JSON object with "file" and "problem" on a line.

The newest readable state of each account is written. If the newest state was lost, it
is an older one: an account may have a former password, or exist again after it was
deleted. Read the list before you import. The store itself is not changed. All accounts
are held in memory, about 500 MB for a million.`,
		Example: `  gatepass store salvage saved.ndjson
  gatepass account import --data new saved.ndjson`,
		Args: terminal.OneFile,
		RunE: func(c *cobra.Command, args []string) error {
			return exit.Interrupted(c.Context(), s.run(c, args[0]))
		},
	}
	c.Flags().BoolVar(&s.force, "force", false, "replace existing files")
	return c
}

// run writes both files. Each is written completely or not at all.
func (s *salvageFlags) run(c *cobra.Command, path string) error {
	var lost []storage.Fault
	saved, bans := 0, 0
	err := terminal.WriteFile(path, s.force, func(out io.Writer) (err error) {
		w := accounts.NewWriter(out, accounts.ExportOptions{Format: accounts.FormatNDJSON})
		lost, err = s.salvage(c.Context(), storage.Salvaged{
			Account: func(a *storage.Account, devices []storage.Device) error {
				saved++
				return w.Account(a, devices)
			},
			AddressBan: func(b *storage.AddressBan) error {
				bans++
				return w.AddressBan(b)
			},
		})
		if err != nil {
			return err
		}
		return w.Flush()
	})
	if err != nil {
		return err
	}
	if err := terminal.WriteFile(path+".lost", s.force, func(out io.Writer) error { return writeLost(out, lost) }); err != nil {
		return err
	}
	fmt.Fprintf(c.ErrOrStderr(), "%s and %s written to %s\n",
		terminal.Count(uint32(saved), "account", "accounts"), terminal.Count(uint32(bans), "address ban", "address bans"), path)
	if len(lost) > 0 {
		return exit.WithCode(exitDamaged, fmt.Errorf("not everything could be read: %s listed in %s.lost", terminal.Count(uint32(len(lost)), "fault is", "faults are"), path))
	}
	return nil
}

func (s *salvageFlags) salvage(ctx context.Context, to storage.Salvaged) ([]storage.Fault, error) {
	lost, err := s.maintainer().Salvage(ctx, to)
	return lost, s.opening(err)
}

// writeLost writes one fault per line.
func writeLost(out io.Writer, lost []storage.Fault) error {
	lines := json.NewEncoder(out)
	for _, f := range lost {
		if err := lines.Encode(f); err != nil {
			return err
		}
	}
	return nil
}
