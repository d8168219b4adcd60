package accounts

import (
	"bufio"
	"context"
	"encoding/csv"
	"errors"
	"io"
	"net/netip"

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
	// Addresses counts banned ranges.
	Addresses int
}

// Export writes every account, sorted by name, so that Import reads it back. An
// account that is added or deleted meanwhile may or may not be in it. CSV has
// the verifiers only; NDJSON has all that is known: an import of it into an empty
// store gives an equal one.
func (m *Manager) Export(ctx context.Context, out io.Writer, o ExportOptions) (ExportReport, error) {
	w := NewWriter(out, o)
	if err := m.exportAddresses(ctx, w); err != nil {
		return w.report, err
	}
	for after := (storage.Name{}); ; {
		page, err := m.List(ctx, after, ListPage)
		if err == nil && len(page) > 0 {
			err = m.exportPage(ctx, w, page)
		}
		if err != nil {
			return w.report, err
		}
		if len(page) == 0 {
			return w.report, w.Flush()
		}
		after = page[len(page)-1].Name
		if o.OnProgress != nil {
			o.OnProgress(w.report.Accounts)
		}
	}
}

func (m *Manager) exportAddresses(ctx context.Context, w *Writer) error {
	if w.options.Format != FormatNDJSON {
		return nil
	}
	bans, err := m.AddressBans(ctx)
	for i := range bans {
		err = errors.Join(err, w.AddressBan(&bans[i]))
	}
	return err
}

func (m *Manager) exportPage(ctx context.Context, w *Writer, page []storage.Account) error {
	var devices []storage.Result
	if w.options.Format == FormatNDJSON {
		ops := make([]storage.Op, len(page))
		for i := range page {
			ops[i] = storage.Op{Kind: storage.OpDevices, Name: page[i].Name}
		}
		var err error
		if devices, err = m.Do(ctx, ops...); err != nil {
			return err
		}
	}
	for i := range page {
		var have []storage.Device
		if devices != nil {
			// An account that was deleted since the page was read has none.
			if err := devices[i].Err; err != nil && !errors.Is(err, storage.ErrNotFound) {
				return aboutAccount(page[i].Name, err)
			}
			have = devices[i].Devices
		}
		if err := w.Account(&page[i], have); err != nil {
			return err
		}
	}
	return nil
}

// exportVersion is the version of an NDJSON export, which stands in its first line.
// Exports of version 1 had no such line, no devices, no character counts and no
// address bans.
const exportVersion = 2

// exportHeader is the first line of an NDJSON export.
type exportHeader struct {
	// Gatepass says what the file is of: exportKind.
	Gatepass string `json:"gatepass"`
	Version  int    `json:"version"`
}

const exportKind = "accounts"

// AddressEntry is a banned range as JSON: a line of an NDJSON export.
type AddressEntry struct {
	Address netip.Prefix `json:"address"`
	Ban     *BanEntry    `json:"ban"`
}

// Writer writes the file of an export. Its methods may be called from one goroutine
// at a time; after an error it writes no more and gives that error again.
type Writer struct {
	options ExportOptions
	out     *bufio.Writer
	csv     *csv.Writer
	line    []byte
	report  ExportReport
}

// NewWriter begins a file with its header, which is written by Flush at the latest.
func NewWriter(out io.Writer, o ExportOptions) *Writer {
	w := &Writer{options: o, out: bufio.NewWriter(out)}
	if o.Format == FormatNDJSON {
		w.json(exportHeader{exportKind, exportVersion})
		return w
	}
	w.csv = csv.NewWriter(w.out)
	header := []string{"username", "salt", "verifier"}
	if o.Columns == ColumnsMangos {
		header = []string{"username", "s", "v"}
	}
	w.csv.Write(header) // an error stays and comes with the next row
	return w
}

// Account writes one account; only NDJSON takes its devices.
func (w *Writer) Account(a *storage.Account, devices []storage.Device) error {
	w.report.Accounts++
	if !a.Grunt.Set {
		w.report.NoVerifier++
	}
	if w.csv == nil {
		return w.json(NewRecord(a, devices, w.options.Columns))
	}
	hex := trinityHex
	if w.options.Columns == ColumnsMangos {
		hex = mangosHex
	}
	row := []string{a.Name.String(), "", ""}
	if a.Grunt.Set {
		row[1], row[2] = hex(a.Grunt.Salt), hex(a.Grunt.Verifier)
	}
	return w.csv.Write(row)
}

// AddressBan writes one banned range, which CSV has no place for.
func (w *Writer) AddressBan(b *storage.AddressBan) error {
	if w.csv != nil {
		return nil
	}
	w.report.Addresses++
	return w.json(AddressEntry{b.Prefix, NewBanEntry(&b.Ban)})
}

// Flush writes what is still held back.
func (w *Writer) Flush() error {
	if w.csv != nil {
		w.csv.Flush()
		if err := w.csv.Error(); err != nil {
			return err
		}
	}
	return w.out.Flush()
}

func (w *Writer) json(v any) error {
	w.line = appendLine(w.line[:0], v)
	_, err := w.out.Write(w.line)
	return err
}
