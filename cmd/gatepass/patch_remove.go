package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"gatepass/patches"
)

func patchRemoveCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "remove ID…",
		Short: "Take patches out of the catalogue",
		Long: `Takes patches out of the catalogue: they are offered to nobody any more. Clients that
are being sent one get it to its end.

A file that was taken into the data folder is deleted once no patch needs it; any other
file stays where it is. Marks stay too: a build that must update and from which no way
leads any more is refused.`,
		Example: `  gatepass patch remove grunt-5875-6005
  gatepass patch remove native-41-42 native-41-43`,
		Args: manyIDs(1),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := existing(c.Flags())
			if err != nil {
				return err
			}
			slices.Sort(args)
			removed, err := at.remove(c.Context(), slices.Compact(args))
			if err != nil {
				return err
			}
			return at.printRemoved(c.OutOrStdout(), removed)
		},
	}
}

// remove takes all of them out, or none if one is not there.
func (at *catalogueAt) remove(ctx context.Context, ids []string) (removed []patches.Patch, err error) {
	err = at.edit(ctx, func(cat *patches.Catalogue) error {
		if _, err := find(cat, ids); err != nil {
			return err
		}
		for _, id := range ids {
			p, err := cat.Remove(id)
			if err != nil {
				return err
			}
			removed = append(removed, p)
		}
		return nil
	})
	return removed, err
}

func (at *catalogueAt) printRemoved(out io.Writer, removed []patches.Patch) error {
	v, err := at.view()
	if err != nil {
		return err
	}
	for i := range removed {
		p := &removed[i]
		fmt.Fprintf(out, "patch %s removed; %s\n", p.ID, whatStays(p, at.dir))
		j := v.judge(p.Scope, p.From)
		fmt.Fprintf(out, "clients of build %d (%s) are %s\n", p.From, p.Scope, j.text())
	}
	return nil
}

// whatStays says what became of a removed patch's file.
func whatStays(p *patches.Patch, dir string) string {
	_, err := os.Stat(p.File(dir))
	gone := errors.Is(err, fs.ErrNotExist)
	switch {
	case !p.Taken && gone:
		return patches.Printable(p.Path) + " was gone before"
	case !p.Taken:
		return patches.Printable(p.Path) + " stays where it is"
	case gone:
		return "the copy in the data folder is deleted"
	}
	return "the copy in the data folder stays: another patch needs it"
}
