package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatepass/accounts"
)

// importFlags are the flags of import.
type importFlags struct {
	protocols, format   string
	update, skip, quiet bool
	native              bool
	params              nativeFlags
}

func (f *accountFlags) importCommand() *cobra.Command {
	i := &importFlags{}
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Take over accounts from a file",
		Long: `Reads accounts from a CSV, TSV or NDJSON file; - is standard input. The first
line of CSV and TSV names the columns:

  username  and one of
  password           the password itself
  salt,verifier      of TrinityCore or AzerothCore, 32 bytes each as hex
  s,v                of a mangos database, hex numbers
  sha_pass_hash      of a mangos database; used where s and v are missing

With verifier columns players keep their passwords. Other columns are ignored.

Passwords become verifiers of the grunt protocol. With --native they become native
ones as well: that takes some 100 ms and --native-kdf's memory each, so two cores
make some 50,000 in an hour. Without it, and with any other column, a player can use
native clients after 'account passwd'.

--update replaces all verifiers of an account by those of its row: without --native
a password takes the native verifier away, and so do verifier columns. The command
says how many accounts lost theirs.

Rows that cannot be taken are printed with their line number and the rest goes
in; the command then ends with exit code 3. It may be interrupted and run again
at any time: --skip-existing passes over what is in already.`,
		Example: `  gatepass account import players.csv
  gatepass account import --skip-existing players.csv
  mysql --batch --raw -e "SELECT username, HEX(salt) AS salt, HEX(verifier) AS verifier
    FROM account" auth | gatepass account import --format tsv -`,
		Args: oneFile,
		RunE: func(c *cobra.Command, args []string) error { return f.runImport(c, i, args[0]) },
	}
	c.Flags().StringVar(&i.protocols, "protocols", accounts.ProtocolGrunt, "make verifiers of passwords for these protocols: grunt, native or both, comma separated")
	c.Flags().BoolVar(&i.native, "native", false, "make native verifiers too, as with --protocols grunt,native")
	i.params.register(c)
	c.Flags().StringVar(&i.format, "format", "auto", "csv, tsv, ndjson, or auto: by the file's name or its first line")
	c.Flags().BoolVar(&i.update, "update", false, "replace the verifiers of accounts that are there already; with --native to keep native ones")
	c.Flags().BoolVar(&i.skip, "skip-existing", false, "pass over accounts that are there already")
	c.Flags().BoolVar(&i.quiet, "quiet", false, "show no progress")
	return c
}

func oneFile(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return usageError{fmt.Errorf("%s takes one file, or - for standard input (see '%s --help')", c.CommandPath(), c.CommandPath())}
}

// options checks the flags.
func (i *importFlags) options(path string) (accounts.ImportOptions, error) {
	o := accounts.ImportOptions{Workers: runtime.GOMAXPROCS(0)}
	protocols, err := accounts.ParseProtocols(i.protocols)
	if err != nil {
		return o, err
	}
	o.Native = i.native || slices.Contains(protocols, accounts.ProtocolNative)
	o.NoGrunt = !slices.Contains(protocols, accounts.ProtocolGrunt)
	if o.Format, err = accounts.ParseFormat(i.format); err != nil {
		return o, err
	}
	if o.Format == accounts.FormatAuto {
		o.Format = accounts.FormatOf(path)
	}
	switch {
	case i.update && i.skip:
		return o, errors.New("give either --update or --skip-existing")
	case i.update:
		o.Mode = accounts.PutUpdate
	case i.skip:
		o.Mode = accounts.PutSkip
	}
	return o, nil
}

func (f *accountFlags) runImport(c *cobra.Command, i *importFlags, path string) error {
	o, err := i.options(path)
	if err != nil {
		return usageError{err}
	}
	if !o.Native && (c.Flags().Changed("native-group") || c.Flags().Changed("native-kdf")) {
		return usageError{errors.New("--native-group and --native-kdf are about native verifiers; give --native to have them made")}
	}
	if err := f.setNative(&i.params); err != nil {
		return err
	}
	in, size, err := openImport(c, path)
	if err != nil {
		return err
	}
	defer in.Close()
	return f.with(c.Context(), true, func(h *accounts.Handle) error {
		began := time.Now()
		if o.Native && !i.quiet {
			fmt.Fprintln(c.ErrOrStderr(), nativeWarning(f.manager.Native, accounts.NativeWorkers(f.manager.Native, o.Workers)))
		}
		bar := newProgress(c.ErrOrStderr(), progressOptions{label: "import", total: size, bytes: true, quiet: i.quiet})
		o.OnBad = func(b accounts.BadRow) { bar.line("line %d: %v", b.Line, b.Reason) }
		o.OnProgress = func(r accounts.ImportReport) {
			bar.to(r.Bytes, count(uint32(r.Added+r.Updated+r.Skipped+r.Failed), "row", "rows"))
		}
		report, err := h.Import(c.Context(), in, o)
		bar.end()
		if len(report.Ignored) > 0 {
			fmt.Fprintf(c.ErrOrStderr(), "columns ignored: %s\n", strings.Join(report.Ignored, ", "))
		}
		fmt.Fprintf(c.OutOrStdout(), "%d added, %d updated, %d skipped, %d failed in %.1f s\n",
			report.Added, report.Updated, report.Skipped, report.Failed, time.Since(began).Seconds())
		if report.LostNative > 0 {
			fmt.Fprintln(c.ErrOrStderr(), lostNative(report.LostNative, o.Native))
		}
		return importResult(path, report, err)
	})
}

// lostNative says what an update took away unasked, and what would not have.
func lostNative(n int, native bool) string {
	text := count(uint32(n), "account", "accounts") + " lost their native verifier; "
	if n == 1 {
		text = "1 account lost its native verifier; "
	}
	if native {
		return text + "those rows had no password to make another of"
	}
	return text + "--native keeps them where rows have passwords"
}

// importResult words how an import ended.
func importResult(path string, r accounts.ImportReport, err error) error {
	in := count(uint32(r.Added+r.Updated), "row is", "rows are")
	switch {
	case errors.Is(err, context.Canceled):
		return &exitError{exitInterrupted, fmt.Errorf("interrupted; %s in, run it again with --skip-existing for the rest", in)}
	case err != nil && r.Added+r.Updated > 0:
		return fmt.Errorf("%s: %w; %s in, run it again with --skip-existing for the rest", path, err, in)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case r.Failed > 0:
		return &exitError{exitBadRows, errors.New(notTaken(r.Failed, path) + "; the rest is in")}
	}
	return nil
}

func notTaken(n int, path string) string {
	if n == 1 {
		return fmt.Sprintf("1 row of %s was not taken", path)
	}
	return fmt.Sprintf("%d rows of %s were not taken", n, path)
}

// openImport gives the size of a regular file, -1 for anything else.
func openImport(c *cobra.Command, path string) (io.ReadCloser, int64, error) {
	if path == "-" {
		return io.NopCloser(c.InOrStdin()), -1, nil
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, err
	}
	info, err := file.Stat()
	switch {
	case err != nil:
		file.Close()
		return nil, 0, err
	case info.IsDir():
		file.Close()
		return nil, 0, fmt.Errorf("%s is a folder; give a file", path)
	case !info.Mode().IsRegular():
		return file, -1, nil
	}
	return file, info.Size(), nil
}
