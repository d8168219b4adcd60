package patch

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/patches"
)

func newRemove() *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID…",
		Short: "Remove patches from the catalogue",
		Long: `Removes patches from the catalogue: they are offered to nobody any more. Clients that
are being sent one get all of it.

A file that was copied into the data folder is deleted once no patch needs it; any other
file stays where it is. Marks stay too: a build that must update is refused if no path
leads from it any more.`,
		Example: `  gatepass patch remove grunt-5875-6005
  gatepass patch remove native-41-42 native-41-43`,
		Args: manyIDs(1),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := existing(c.Flags())
			if err != nil {
				return err
			}
			slices.Sort(args)
			removed, err := admin.RemovePatches().Run(c.Context(), at.service(), admin.RemovePatchesRequest{IDs: slices.Compact(args)})
			if err != nil {
				return at.ended(c.Context(), err)
			}
			return at.printRemoved(c.OutOrStdout(), removed)
		},
	}
}

func (at *catalogueAt) printRemoved(out io.Writer, removed []admin.RemovedPatch) error {
	v, err := at.view()
	if err != nil {
		return err
	}
	for i := range removed {
		p := &removed[i]
		fmt.Fprintf(out, "patch %s removed; %s\n", p.ID, whatStays(p))
		scope, err := p.Parse()
		if err != nil {
			return err
		}
		j := v.judge(scope, p.From)
		fmt.Fprintf(out, "clients of build %d (%s) are %s\n", p.From, scope, j.text())
	}
	return nil
}

// whatStays says what happened to the file of a removed patch.
func whatStays(p *admin.RemovedPatch) string {
	_, err := os.Stat(p.File)
	gone := errors.Is(err, fs.ErrNotExist)
	switch {
	case !p.Taken && gone:
		return patches.Printable(p.File) + " was gone before"
	case !p.Taken:
		return patches.Printable(p.File) + " stays where it is"
	case gone:
		return "the copy in the data folder is deleted"
	}
	return "the copy in the data folder stays: another patch needs it"
}
