package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatepass/patches"
)

func patchVerifyCommand() *cobra.Command {
	var quiet bool
	c := &cobra.Command{
		Use:   "verify [ID…]",
		Short: "Read the files of patches and compare them with what was added",
		Long: `Reads the files of all patches, or of those named, and compares what is in them with
what was added. One that only looks changed, because it was copied or touched, is
recorded with its new time. Ends with exit code 1 when a file is missing or is not what
was added: no client is sent it then.

To mend one: bring the file that was added back to its place, or remove the patch and
add it again. A running server offers it within a second after that.`,
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
			chosen, err := find(cat, args)
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
	bar, err := newByteProgress(c.ErrOrStderr(), byteProgress{label: "verify", paths: at.there(chosen), quiet: quiet})
	if err != nil {
		return err
	}
	defer bar.end()
	wrong := 0
	for _, p := range chosen {
		before := p.Modified
		err := p.Verify(c.Context(), at.dir, bar.to)
		switch {
		case c.Context().Err() != nil:
			return afterSignal(c.Context(), context.Cause(c.Context()))
		case err == nil:
			err = at.stamp(p, before)
		}
		if err != nil {
			wrong++
		}
		bar.next(p.Size)
		bar.clear()
		printVerified(c.OutOrStdout(), p, err, before)
	}
	if wrong > 0 {
		return fmt.Errorf("%d of %s not as added: bring the files back, or remove the patches and add them again",
			wrong, count(uint32(len(chosen)), "patch is", "patches are"))
	}
	return nil
}

// there are the files that can be read at all.
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
		fmt.Fprintf(out, "%s  ok, %s; its new time is recorded\n", p.ID, sizeText(p.Size))
	default:
		fmt.Fprintf(out, "%s  ok, %s\n", p.ID, sizeText(p.Size))
	}
}

// fault is what is wrong with a file, without the advice to verify it.
func fault(p *patches.Patch, err error) string {
	if cause := errors.Unwrap(err); cause != nil {
		err = cause
	}
	return strings.TrimPrefix(err.Error(), "patch "+p.ID+": ")
}

// stamp records the time of a file that was found good.
func (at *catalogueAt) stamp(p *patches.Patch, before time.Time) error {
	if before.Equal(p.Modified) {
		return nil
	}
	err := at.edit(func(cat *patches.Catalogue) error {
		// It may have been replaced while the file was read.
		if now := cat.Find(p.ID); now != nil && now.SHA256 == p.SHA256 && now.File(at.dir) == p.File(at.dir) {
			now.Modified = p.Modified
		}
		return nil
	})
	if err != nil {
		return errors.Join(errors.New("the file is as added, but its new time could not be recorded"), err)
	}
	return nil
}
