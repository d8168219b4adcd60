package accounts

import (
	"bufio"
	"context"
	"encoding/csv"
	"io"

	"gatepass/storage"
)

// ExportOptions say how a file is written.
type ExportOptions struct {
	// Format is FormatCSV or FormatNDJSON.
	Format Format
	// Columns is how grunt verifiers are written.
	Columns Columns
	// OnProgress, if set, is told the number of accounts written after each page
	// of them.
	OnProgress func(accounts int)
}

// ExportReport is what an export wrote.
type ExportReport struct {
	// Accounts counts rows, NoVerifier those of them without a grunt verifier.
	Accounts, NoVerifier int
}

// Export writes every account, sorted by name, so that Import reads it back. An
// account that is added or deleted meanwhile may or may not be in it. CSV has
// the verifiers only; NDJSON has all that is known of an account.
func (m *Manager) Export(ctx context.Context, out io.Writer, o ExportOptions) (ExportReport, error) {
	var report ExportReport
	buffered := bufio.NewWriter(out)
	w := newAccountWriter(buffered, o)
	for account, err := range m.All(ctx, storage.Name{}) {
		if err != nil {
			return report, err
		}
		if err := w.write(account); err != nil {
			return report, err
		}
		report.Accounts++
		if !account.Grunt.Set {
			report.NoVerifier++
		}
		if o.OnProgress != nil && report.Accounts%listPage == 0 {
			o.OnProgress(report.Accounts)
		}
	}
	if err := w.flush(); err != nil {
		return report, err
	}
	return report, buffered.Flush()
}

// accountWriter writes rows of one format.
type accountWriter struct {
	write func(*storage.Account) error
	flush func() error
}

func newAccountWriter(out io.Writer, o ExportOptions) accountWriter {
	if o.Format == FormatNDJSON {
		var line []byte
		return accountWriter{
			write: func(a *storage.Account) error {
				line = appendLine(line[:0], newRecord(a, o.Columns))
				_, err := out.Write(line)
				return err
			},
			flush: func() error { return nil },
		}
	}
	w := csv.NewWriter(out)
	header, hex := []string{"username", "salt", "verifier"}, trinityHex
	if o.Columns == ColumnsMangos {
		header, hex = []string{"username", "s", "v"}, mangosHex
	}
	w.Write(header) // an error stays and comes with the flush
	return accountWriter{
		write: func(a *storage.Account) error {
			row := []string{a.Name.String(), "", ""}
			if a.Grunt.Set {
				row[1], row[2] = hex(a.Grunt.Salt), hex(a.Grunt.Verifier)
			}
			return w.Write(row)
		},
		flush: func() error { w.Flush(); return w.Error() },
	}
}
