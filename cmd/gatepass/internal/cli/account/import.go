package account

import (
	"bytes"
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
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

// importFlags are the flags of import.
type importFlags struct {
	protocols, format, delimiter string
	quotes, escapes, order       string
	header                       []string
	update, skip, quiet, dry     bool
	native                       bool
	params                       nativeFlags
}

func (f *commands) importCommand() *cobra.Command {
	i := &importFlags{}
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Import accounts from a file",
		Long: `Reads accounts from a table (CSV, or what mysql --batch prints), NDJSON or a JSON
array; - is standard input. The first line of a table names the columns:

  username  and one of
  password           the password itself
  salt,verifier      of TrinityCore or AzerothCore, 32 bytes each as hex
  s,v                of a mangos database, hex numbers
  sha_pass_hash      of a mangos database; used where s and v are missing

With verifier columns players keep their passwords. Second factors and bans of these
databases are imported too; what gatepass does not keep is counted.

The command reads the whole file first and shows how it reads it before it stores
anything: --dry-run stops there and says what would become of each row. A file of
another kind is refused whole.

Passwords become verifiers of the grunt protocol. With --native they become native
verifiers as well: each takes some 100 ms and the memory of --native-kdf, so two cores
make some 50,000 in an hour. Without it, and with any other column, a player can use
native clients after 'account passwd'.

--update replaces all verifiers of an account by those of its row: without --native
a password removes the native verifier, and so do verifier columns. The command
says how many accounts lost theirs.

Bad rows are printed with line, account and column, and the other rows are imported;
the command then ends with exit code 3. It may be interrupted and run again at any
time: --skip-existing leaves accounts that exist.`,
		Example: `  gatepass account import --dry-run players.csv
  gatepass account import players.csv
  mysql --batch -e "SELECT username, HEX(salt) AS salt, HEX(verifier) AS verifier
    FROM account" auth | gatepass account import -`,
		Args: terminal.OneFile,
		RunE: func(c *cobra.Command, args []string) error { return f.runImport(c, i, args[0]) },
	}
	i.register(c)
	return c
}

func (i *importFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&i.dry, "dry-run", false, "store nothing; say how the file is read and what would become of its rows")
	c.Flags().BoolVar(&i.update, "update", false, "replace the verifiers of accounts that exist; with --native to keep native ones")
	c.Flags().BoolVar(&i.skip, "skip-existing", false, "leave accounts that exist")
	c.Flags().StringVar(&i.protocols, "protocols", accounts.ProtocolGrunt, "make verifiers of passwords for these protocols: grunt, native or both, comma separated")
	c.Flags().BoolVar(&i.native, "native", false, "make native verifiers too, as with --protocols grunt,native")
	i.params.register(c)
	c.Flags().BoolVar(&i.quiet, "quiet", false, "show neither progress nor how the file is read")
	c.Flags().StringVar(&i.format, "format", "auto", "csv, tsv, ndjson, json, or auto: by the content of the file")
	c.Flags().StringSliceVar(&i.header, "header", nil, "the names of the columns, if the first line of the file has none")
	c.Flags().StringVar(&i.delimiter, "delimiter", "auto", "separator of fields: comma, semicolon, tab, bar or auto")
	c.Flags().StringVar(&i.quotes, "quotes", "auto", "whether fields may be in double quotes: on, off or auto")
	c.Flags().StringVar(&i.escapes, "escapes", "auto", "whether a backslash begins an escape, as mysql --batch without --raw writes them: on, off or auto")
	c.Flags().StringVar(&i.order, "byte-order", "auto", "how salts and verifiers are written: usual or reversed; auto is usual, and refuses a file that contradicts it")
}

// options checks the flags and returns the import options.
func (i *importFlags) options() (accounts.ImportOptions, error) {
	o := accounts.ImportOptions{Workers: runtime.GOMAXPROCS(0), DryRun: i.dry}
	protocols, err := accounts.ParseProtocols(i.protocols)
	if err != nil {
		return o, err
	}
	o.Native = i.native || slices.Contains(protocols, accounts.ProtocolNative)
	o.NoGrunt = !slices.Contains(protocols, accounts.ProtocolGrunt)
	if err := i.table(&o); err != nil {
		return o, err
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

// table checks the flags for the format of a table.
func (i *importFlags) table(o *accounts.ImportOptions) (err error) {
	o.Header = i.header
	if o.Format, err = accounts.ParseFormat(i.format); err != nil {
		return err
	}
	if o.Delimiter, err = accounts.ParseDelimiter(i.delimiter); err != nil {
		return err
	}
	if o.Quotes, err = accounts.ParseChoice("quotes", i.quotes); err != nil {
		return err
	}
	if o.Escapes, err = accounts.ParseChoice("escapes", i.escapes); err != nil {
		return err
	}
	o.Order, err = accounts.ParseByteOrder(i.order)
	return err
}

func (f *commands) runImport(c *cobra.Command, i *importFlags, path string) error {
	o, err := i.options()
	if err != nil {
		return exit.Usage(err)
	}
	if !o.Native && (c.Flags().Changed("native-group") || c.Flags().Changed("native-kdf")) {
		return exit.Usage(errors.New("--native-group and --native-kdf are about native verifiers; give --native to have them made"))
	}
	if err := f.setNative(&i.params); err != nil {
		return err
	}
	in, size, err := openImport(c, path, i.quiet)
	if err != nil {
		return importResult(path, accounts.ImportReport{}, err)
	}
	defer in.Close()
	bar := terminal.NewProgress(c.ErrOrStderr(), terminal.ProgressOptions{Label: "import", Total: size, Bytes: true, Quiet: i.quiet})
	o.OnBad = func(b accounts.BadRow) { bar.Line("%v", b) }
	o.OnProgress = func(r accounts.ImportReport) {
		bar.To(r.Bytes, terminal.Count(uint32(r.Added+r.Updated+r.Skipped+r.Failed+r.Banned+r.Addresses), "row", "rows"))
	}
	plan, err := accounts.Look(c.Context(), in, o)
	if err != nil {
		return importResult(path, accounts.ImportReport{}, err)
	}
	if !i.quiet {
		fmt.Fprintf(c.ErrOrStderr(), "%s: %s\n", path, strings.Join(plan.Lines(), "\n"))
	}
	work := func(h *admin.Handle) error {
		began := time.Now()
		if o.Native && !o.DryRun && !i.quiet {
			fmt.Fprintln(c.ErrOrStderr(), nativeWarning(f.manager.Native, accounts.NativeWorkers(f.manager.Native, o.Workers)))
		}
		report, err := h.Import(c.Context(), plan)
		bar.End()
		printImport(c, &report, o, time.Since(began))
		return importResult(path, report, err)
	}
	if !o.DryRun {
		return f.with(c.Context(), true, work)
	}
	err = f.read(c.Context(), work)
	if errors.Is(err, admin.ErrNoData) {
		return work(&admin.Handle{Manager: accounts.New(accounts.NoStore{}, f.manager)})
	}
	return err
}

// printImport prints the summary of an import or of a dry run.
func printImport(c *cobra.Command, r *accounts.ImportReport, o accounts.ImportOptions, took time.Duration) {
	dry := ""
	if o.DryRun {
		dry = "dry run, nothing is stored: "
	}
	bans := ""
	if r.Banned > 0 {
		bans += ", " + terminal.Count(uint32(r.Banned), "account banned", "accounts banned")
	}
	if r.Addresses > 0 {
		bans += ", " + terminal.Count(uint32(r.Addresses), "address range banned", "address ranges banned")
	}
	fmt.Fprintf(c.OutOrStdout(), "%s%d added, %d updated, %d unchanged, %d refused%s in %.1f s\n",
		dry, r.Added, r.Updated, r.Skipped, r.Failed, bans, took.Seconds())
	r.Left.Each(func(what string, n int) { fmt.Fprintf(c.OutOrStdout(), "left out: %d %s\n", n, what) })
	if r.LostNative > 0 {
		fmt.Fprintln(c.ErrOrStderr(), lostNative(r.LostNative, o.Native))
	}
}

// lostNative returns the warning that an update removed native verifiers, and how to
// keep them.
func lostNative(n int, native bool) string {
	text := terminal.Count(uint32(n), "account", "accounts") + " lost their native verifier; "
	if n == 1 {
		text = "1 account lost its native verifier; "
	}
	if native {
		return text + "those rows had no password to make another of"
	}
	return text + "--native keeps them where rows have passwords"
}

// importResult returns the error text for the end of an import.
func importResult(path string, r accounts.ImportReport, err error) error {
	done := r.Added + r.Updated + r.Banned + r.Addresses
	in := terminal.Count(uint32(done), "row is", "rows are")
	switch {
	case errors.Is(err, context.Canceled):
		return exit.WithCode(exit.CodeInterrupted, fmt.Errorf("interrupted; %s in, run it again with --skip-existing for the rest", in))
	case err != nil && done > 0:
		return fmt.Errorf("%s: %w; %s in, run it again with --skip-existing for the rest", path, err, in)
	case err != nil:
		return fmt.Errorf("%s: %w", path, err)
	case r.Failed > 0:
		return exit.WithCode(exitBadRows, errors.New(notTaken(r.Failed, path)+"; the rest is in"))
	}
	return nil
}

func notTaken(n int, path string) string {
	if n == 1 {
		return fmt.Sprintf("1 row of %s was not taken", path)
	}
	return fmt.Sprintf("%d rows of %s were not taken", n, path)
}

// importFile is a file that can be read twice.
type importFile interface {
	io.ReadSeeker
	io.Closer
}

// held is data from a pipe. It stays in memory and is never written to a disk, because
// it can contain passwords.
type held struct{ *bytes.Reader }

// Close implements io.Closer.
func (held) Close() error { return nil }

// maxHeld limits the data from a pipe, in bytes: about three million accounts.
const maxHeld = 512 << 20

// openImport returns the file and its size.
func openImport(c *cobra.Command, path string, quiet bool) (importFile, int64, error) {
	hold := func(in io.Reader) (importFile, int64, error) {
		if !quiet {
			fmt.Fprintf(c.ErrOrStderr(), "%s: read to its end before anything is stored\n", path)
		}
		return holdPipe(c.Context(), in)
	}
	if path == "-" {
		return hold(c.InOrStdin())
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, 0, errors.Unwrap(err) // the path is printed before it
	}
	info, err := file.Stat()
	switch {
	case err != nil:
	case info.IsDir():
		err = errors.New("this is a folder; give a file")
	case info.Mode().IsRegular():
		return file, info.Size(), nil
	default:
		defer file.Close()
		return hold(file)
	}
	file.Close()
	return nil, 0, err
}

// holdPipe reads a pipe to its end, or until ctx ends. In the second case one goroutine
// stays in Read until the read returns.
func holdPipe(ctx context.Context, in io.Reader) (importFile, int64, error) {
	type result struct {
		text []byte
		err  error
	}
	done := make(chan result, 1)
	go func() {
		text, err := io.ReadAll(io.LimitReader(in, maxHeld+1))
		done <- result{text, err}
	}()
	select {
	case r := <-done:
		if r.err == nil && len(r.text) > maxHeld {
			r.err = fmt.Errorf("more than %d MiB come over a pipe; give them as a file", maxHeld>>20)
		}
		return held{bytes.NewReader(r.text)}, int64(len(r.text)), r.err
	case <-ctx.Done():
		return nil, 0, ctx.Err()
	}
}
