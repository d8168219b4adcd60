package accounts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"
)

// census counts the bytes that decide how a text is split into rows and fields.
type census struct {
	lf, crlf, loneCR, nul, quote, invalid int
	// escaped counts the bytes after a backslash. Backslashes are paired from the
	// first.
	escaped [256]int
}

// count adds a text to the census.
func (c *census) count(ctx context.Context, in io.Reader) error {
	buffer := make([]byte, 64<<10)
	var last byte
	inPair := false
	var tail []byte // an unfinished character, which continues in the next part
	for ctx.Err() == nil {
		n, err := in.Read(buffer)
		for _, b := range buffer[:n] {
			c.byte(b, last)
			switch {
			case inPair:
				c.escaped[b]++
				inPair = false
			case b == '\\':
				inPair = true
			}
			last = b
		}
		tail = c.characters(append(tail, buffer[:n]...))
		if errors.Is(err, io.EOF) {
			c.invalid += len(tail)
			if last == '\r' {
				c.loneCR++
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

func (c *census) byte(b, last byte) {
	switch {
	case b == '\n' && last == '\r':
		c.crlf++
		c.lf++
		return
	case b == '\n':
		c.lf++
	case b == 0:
		c.nul++
	case b == '"':
		c.quote++
	}
	if last == '\r' {
		c.loneCR++
	}
}

// characters counts bytes that are not UTF-8. It returns an unfinished last character.
func (c *census) characters(text []byte) []byte {
	for len(text) > 0 {
		if text[0] < utf8.RuneSelf {
			text = text[1:]
			continue
		}
		if !utf8.FullRune(text) {
			return bytes.Clone(text)
		}
		r, size := utf8.DecodeRune(text)
		if r == utf8.RuneError && size == 1 {
			c.invalid++
		}
		text = text[size:]
	}
	return nil
}

// pairs returns how many backslashes start an escape if all escapes are ones that
// MySQL's clients write. Otherwise it returns 0: one other escape proves that the file
// uses backslashes as plain text.
func (c *census) pairs(delimiter byte) (n int) {
	for b, count := range c.escaped {
		if count > 0 && byte(b) != delimiter && !strings.ContainsRune("\\0tnN\"\r\n", rune(b)) {
			return 0
		}
		n += count
	}
	return n
}

// nullsOnly reports whether NULL is the only escape.
func (c *census) nullsOnly(delimiter byte) bool { return c.pairs(delimiter) == c.escaped['N'] }

// delimiterName returns the name of a delimiter.
func delimiterName(b byte) string {
	return map[byte]string{',': "commas", ';': "semicolons", '\t': "tabs", '|': "bars"}[b]
}

// findDelimiter returns the delimiter that splits a header into the most known columns.
func findDelimiter(header string, format Format) byte {
	candidates := []byte{',', '\t', ';', '|'}
	switch format {
	case FormatCSV:
		candidates = []byte{',', ';', '|'}
	case FormatTSV:
		return '\t'
	}
	best, most := candidates[0], -1
	for _, b := range candidates {
		d := dialect{delimiter: b, quotes: true, trim: true}
		cells, err := d.split(header, nil)
		if err != nil {
			continue
		}
		known := 0
		for _, c := range cells {
			if columnOf(c.text) < columnIgnored {
				known++
			}
		}
		if known > most {
			best, most = b, known
		}
	}
	return best
}

// candidates returns the dialects that a text may have, the most likely first.
func (c *census) candidates(delimiter byte, o *ImportOptions) (list []dialect) {
	plain := dialect{delimiter: delimiter, trim: delimiter != '\t', loneCR: c.loneCR > 0 && c.lf == 0}
	escapes := []bool{false}
	switch pairs := c.pairs(delimiter); {
	case o.Escapes == On:
		escapes = []bool{true}
	case o.Escapes == Off || pairs == 0:
	case delimiter == '\t' && !c.nullsOnly(delimiter), delimiter != '\t' && c.escaped['N'] > 0 && !c.nullsOnly(delimiter):
		escapes = []bool{true, false}
	case c.quote > 0:
		escapes = []bool{false, true}
	}
	lone := []bool{plain.loneCR}
	if c.loneCR > 0 && c.lf > 0 {
		lone = []bool{false, true}
	}
	for _, cr := range lone {
		for _, e := range escapes {
			d := plain
			d.escapes, d.loneCR = e, cr
			if c.quote > 0 && o.Quotes != Off {
				d.quotes = true
				many := d
				many.multiline = true
				list = append(list, d, many)
				d.quotes = false
			}
			// In a file with tabs, a quote may be part of a value, because database
			// clients add no quotes there. In other files a row with an unbalanced
			// quote is a bad row.
			if o.Quotes == Off || c.quote == 0 || o.Quotes == Auto && delimiter == '\t' {
				list = append(list, d)
			}
		}
	}
	return list
}

// fit says how well a dialect fits a file.
type fit struct {
	// faults counts rows that cannot be split, or whose number of fields differs from
	// that of the header.
	faults int
	// rows counts the other rows. bare counts fields that are neither empty nor quoted.
	rows, bare int
}

// unfit is larger than the number of faults in any file.
const unfit = int(^uint(0) >> 1)

// measure splits a whole file by a dialect. It stops early after more than limit
// faults.
func (p *Plan) measure(ctx context.Context, d *dialect, limit int) (f fit, err error) {
	rows, err := p.rows(d)
	if err != nil {
		return f, err
	}
	columns := len(p.header)
	if columns == 0 {
		columns = -1
	}
	var cells []cell
	for ctx.Err() == nil && f.faults <= limit {
		row, err := rows.next()
		switch {
		case errors.Is(err, io.EOF):
			return f, nil
		case errors.Is(err, errLineTooLong) && !d.multiline:
			f.faults++
			continue
		case errors.Is(err, errLineTooLong):
			f.faults = unfit
			return f, nil
		case err != nil:
			return f, err
		case len(row) == 0:
			continue
		}
		cells, err = d.split(string(row), cells[:0])
		if columns < 0 && err == nil {
			columns = len(cells)
		}
		switch {
		case err != nil && d.multiline:
			// A quote that never closes would include the rows after it.
			f.faults = unfit
			return f, nil
		case err != nil || len(cells) != columns:
			f.faults++
			continue
		}
		f.rows++
		for i := range cells {
			if !cells[i].quoted && cells[i].text != "" {
				f.bare++
			}
		}
	}
	return f, ctx.Err()
}

// choose selects the dialect with the fewest faults.
func (p *Plan) choose(ctx context.Context, list []dialect) error {
	p.dialect = list[0]
	if len(list) == 1 {
		return nil
	}
	best := fit{faults: unfit}
	for i := range list {
		f, err := p.measure(ctx, &list[i], best.faults)
		if err != nil {
			return err
		}
		if f.faults < best.faults {
			best, p.dialect = f, list[i]
		}
		if f.faults == 0 {
			break
		}
	}
	p.dialect.quotedNull = p.dialect.quotes && best.bare == 0
	return nil
}

// readHeader finds the columns in the first row or in the names that the operator gave.
func (p *Plan) readHeader() error {
	names, err := p.firstNames()
	if err != nil {
		return err
	}
	if p.header != nil {
		if slices.EqualFunc(names, p.header, strings.EqualFold) {
			return errHeaderTwice
		}
		names = p.header
	}
	for _, name := range names {
		c := columnOf(name)
		if c < columnCount && slices.Contains(p.columns, c) {
			first := p.names[slices.Index(p.columns, c)]
			return fmt.Errorf("the column %s is there twice (%s and %s); leave one out", columnNames(c)[0], shownKey(first), shownKey(name))
		}
		p.columns = append(p.columns, c)
		p.names = append(p.names, strings.TrimSpace(name))
	}
	p.table, err = kindOfTable(p.columns)
	return err
}

// firstNames returns the fields of the first row. They may be the names of the columns.
func (p *Plan) firstNames() (names []string, err error) {
	rows, err := p.rows(&p.dialect)
	if err != nil {
		return nil, err
	}
	row, err := firstRow(rows)
	if err != nil {
		return nil, err
	}
	cells, err := p.dialect.split(string(row), nil)
	if err != nil && p.header == nil {
		return nil, errHeader
	}
	for _, c := range cells {
		names = append(names, strings.TrimSpace(c.text))
	}
	return names, nil
}

// firstRow returns the first row that is not empty, or errHeader at the end of the
// file.
func firstRow(rows rowReader) ([]byte, error) {
	for {
		row, err := rows.next()
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, errLineTooLong):
			return nil, errHeader
		case err != nil:
			return nil, err
		case len(bytes.TrimSpace(row)) > 0:
			return row, nil
		}
	}
}
