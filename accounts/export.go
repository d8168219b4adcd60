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

// ExportOptions select how a file is written.
type ExportOptions struct {
	// Format is FormatCSV or FormatNDJSON.
	Format Format
	// Columns selects how grunt verifiers are written.
	Columns Columns
	// OnProgress, if set, is called after each page with the number of accounts
	// written.
	OnProgress func(accounts int)
}

// ExportReport counts what an export wrote.
type ExportReport struct {
	// Accounts counts rows. NoVerifier counts the rows without a grunt verifier.
	Accounts, NoVerifier int
	// Addresses counts banned ranges.
	Addresses int
}

// Export writes every account, sorted by name, in a form that Import reads. An account
// that is added or deleted during the export can be missing or present. CSV has only
// the verifiers. NDJSON has everything: its import into an empty store produces an
// equal store.
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
			// An account that was deleted after the page was read has no devices.
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

// exportVersion is the version of an NDJSON export. It is in the first line of the
// file. Version 1 had no such line, no devices, no character counts and no address
// bans.
const exportVersion = 2

// exportHeader is the first line of an NDJSON export.
type exportHeader struct {
	// Gatepass is the kind of the file: exportKind.
	Gatepass string `json:"gatepass"`
	Version  int    `json:"version"`
}

const exportKind = "accounts"

// AddressEntry is a banned range as JSON: a line of an NDJSON export.
type AddressEntry struct {
	Address netip.Prefix `json:"address"`
	Ban     *BanEntry    `json:"ban"`
}

// Writer writes an export file. Only one goroutine at a time may call its methods.
// After an error it writes nothing more and returns the same error again.
type Writer struct {
	options ExportOptions
	out     *bufio.Writer
	csv     *csv.Writer
	line    []byte
	report  ExportReport
}

// NewWriter starts a file with its header. Flush writes the header at the latest.
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
	w.csv.Write(header) // the csv.Writer keeps an error and returns it with the next row
	return w
}

// Account writes one account. CSV omits its devices.
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

// AddressBan writes one banned range. CSV has no column for it and omits it.
func (w *Writer) AddressBan(b *storage.AddressBan) error {
	if w.csv != nil {
		return nil
	}
	w.report.Addresses++
	return w.json(AddressEntry{b.Prefix, NewBanEntry(&b.Ban)})
}

// Flush writes all buffered data.
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
