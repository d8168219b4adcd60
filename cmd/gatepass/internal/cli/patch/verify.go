package patch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/patches"
)

func newVerify() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:   "verify [ID…]",
		Short: "Read the files of patches and compare them with what was added",
		Long: `Reads the files of all patches, or of those named, and compares their content with what
was added. If only the time of a file has changed, because it was copied or touched, the
new time is recorded. Ends with exit code 1 when a file is missing or is not what was
added. That is recorded, and no client is sent the file: clients get the next best path.

To repair a patch, restore the file that was added, or replace it with
'patch add --replace'. A running server then reads it and offers it again.`,
		Example: `  gatepass patch verify
  gatepass patch verify grunt-5875-6005 && echo good`,
		Args: manyIDs(0),
		RunE: func(c *cobra.Command, args []string) error {
			at, err := existing(c.Flags())
			if err != nil {
				return err
			}
			cat, err := at.load()
			if err != nil {
				return err
			}
			chosen, err := admin.FindPatches(cat, args)
			if err != nil {
				return err
			}
			if len(args) == 0 {
				for i := range cat.Patches {
					chosen = append(chosen, &cat.Patches[i])
				}
			}
			return at.verify(c, chosen, quiet)
		},
	}
	c.Flags().BoolVar(&quiet, "quiet", false, "show no progress")
	return c
}

func (at *catalogueAt) verify(c *cobra.Command, chosen []*patches.Patch, quiet bool) error {
	if len(chosen) == 0 {
		fmt.Fprintln(c.OutOrStdout(), "no patches")
		return nil
	}
	bar, err := terminal.NewByteBar(c.ErrOrStderr(), terminal.ByteOptions{Label: "verify", Paths: at.there(chosen), Quiet: quiet})
	if err != nil {
		return err
	}
	defer bar.End()
	wrong := 0
	for _, p := range chosen {
		before := *p
		err := p.Verify(c.Context(), at.dir, bar.To)
		switch {
		case c.Context().Err() != nil:
			return afterSignal(c.Context(), context.Cause(c.Context()))
		default:
			err = at.record(c, p, before, err)
		}
		if err != nil {
			wrong++
		}
		bar.Next(p.Size)
		bar.Clear()
		printVerified(c.OutOrStdout(), p, err, before.Modified)
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %s not as added: bring the files back, or put others in their place with 'gatepass patch add --replace'",
			wrong, terminal.Count(uint32(len(chosen)), "patch is", "patches are"))
	}
	return nil
}

// there returns the files that exist.
func (at *catalogueAt) there(chosen []*patches.Patch) (paths []string) {
	for _, p := range chosen {
		if _, err := os.Stat(p.File(at.dir)); err == nil {
			paths = append(paths, p.File(at.dir))
		}
	}
	return paths
}

func printVerified(out io.Writer, p *patches.Patch, err error, before time.Time) {
	switch {
	case err != nil:
		fmt.Fprintf(out, "%s  wrong: %s\n", p.ID, fault(p, err))
	case !before.Equal(p.Modified):
		fmt.Fprintf(out, "%s  ok, %s; its new time is recorded\n", p.ID, terminal.SizeText(p.Size))
	default:
		fmt.Fprintf(out, "%s  ok, %s\n", p.ID, terminal.SizeText(p.Size))
	}
}

// fault returns what is wrong with a file, without the hints for all files at the end.
func fault(p *patches.Patch, err error) string {
	if cause := errors.Unwrap(err); cause != nil {
		err = cause
	}
	return strings.TrimPrefix(err.Error(), "patch "+p.ID+": ")
}

// record stores the result for the server: the modification time of an unchanged file,
// or that the file changed. It returns the fault to print.
func (at *catalogueAt) record(c *cobra.Command, p *patches.Patch, before patches.Patch, found error) error {
	if before.Modified.Equal(p.Modified) && before.Wrong == p.Wrong && before.WrongChanged.Equal(p.WrongChanged) {
		return found
	}
	err := at.service().Patches.Edit(c.Context(), func(cat *patches.Catalogue) error {
		// The patch can have been replaced while the file was read.
		if now := cat.Find(p.ID); now != nil && now.SHA256 == p.SHA256 && now.File(at.dir) == p.File(at.dir) {
			now.Modified, now.Wrong, now.WrongChanged = p.Modified, p.Wrong, p.WrongChanged
		}
		return nil
	})
	err = at.ended(c.Context(), err)
	switch {
	case err == nil:
		return found
	case found == nil:
		return errors.Join(errors.New("the file is as added, but that could not be recorded"), err)
	}
	fmt.Fprintf(c.ErrOrStderr(), "warning: that %s is wrong could not be recorded, so it may still be offered: %v\n", p.ID, err)
	return found
}
