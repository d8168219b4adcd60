package account

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

// exportFlags are the flags of export.
type exportFlags struct {
	columns, format string
	force, quiet    bool
}

func (f *commands) exportCommand() *cobra.Command {
	e := &exportFlags{}
	c := &cobra.Command{
		Use:   "export FILE",
		Short: "Write all accounts to a file",
		Long: `Writes all accounts, sorted by name, to a file that only you may read; - is
standard output. The file holds verifiers: keep it as safe as the accounts
themselves. An import reads it back.

NDJSON has everything: an import of it into an empty store makes an equal store, with
bans, banned addresses, second factors, devices and character counts. Use it for
backups. CSV has names and grunt verifiers only.`,
		Example: `  gatepass account export backup.ndjson
  gatepass account export --columns mangos accounts.csv
  gatepass account export --format ndjson - | jq -r '.username // empty'`,
		Args: terminal.OneFile,
		RunE: func(c *cobra.Command, args []string) error { return f.runExport(c, e, args[0]) },
	}
	c.Flags().StringVar(&e.columns, "columns", "trinity", "how verifiers are written: trinity (salt, verifier) or mangos (s, v)")
	c.Flags().StringVar(&e.format, "format", "auto", "csv, ndjson, or auto: by the file's name, csv otherwise")
	c.Flags().BoolVar(&e.force, "force", false, "replace an existing file")
	c.Flags().BoolVar(&e.quiet, "quiet", false, "show no progress")
	return c
}

// options checks the flags and returns the export options.
func (e *exportFlags) options(path string) (o accounts.ExportOptions, err error) {
	if o.Columns, err = accounts.ParseColumns(e.columns); err != nil {
		return o, err
	}
	if o.Format, err = accounts.ParseFormat(e.format); err != nil {
		return o, err
	}
	if o.Format == accounts.FormatAuto {
		o.Format = accounts.FormatOf(path)
	}
	switch o.Format {
	case accounts.FormatTSV:
		return o, errors.New("an export is csv or ndjson")
	case accounts.FormatAuto:
		o.Format = accounts.FormatCSV
	}
	return o, nil
}

func (f *commands) runExport(c *cobra.Command, e *exportFlags, path string) error {
	o, err := e.options(path)
	if err != nil {
		return exit.Usage(err)
	}
	return f.read(c.Context(), func(h *admin.Handle) error {
		bar := terminal.NewProgress(c.ErrOrStderr(), terminal.ProgressOptions{Label: "export", Total: -1, Quiet: e.quiet})
		o.OnProgress = func(n int) { bar.To(int64(n), "") }
		var report accounts.ExportReport
		write := func(out io.Writer) (err error) {
			report, err = h.Export(c.Context(), out, o)
			return err
		}
		if path == "-" {
			err = write(c.OutOrStdout())
		} else {
			err = terminal.WriteFile(path, e.force, write)
		}
		bar.End()
		if err != nil {
			return err
		}
		if report.NoVerifier > 0 {
			bar.Line("%d accounts have no grunt verifier", report.NoVerifier)
		}
		// On stderr, because stdout can be the file.
		fmt.Fprintf(c.ErrOrStderr(), "%d accounts%s written\n", report.Accounts, alsoAddresses(report.Addresses))
		return nil
	})
}

// alsoAddresses returns the number of banned ranges as text after a number of accounts.
func alsoAddresses(n int) string {
	if n == 0 {
		return ""
	}
	return " and " + terminal.Count(uint32(n), "banned address range", "banned address ranges")
}
