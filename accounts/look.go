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

// census counts what decides how a text is cut into rows and fields.
type census struct {
	lf, crlf, loneCR, nul, quote, invalid int
	// escaped counts what stands behind backslashes, in pairs from the first one on.
	escaped [256]int
}

// count goes over a text.
func (c *census) count(ctx context.Context, in io.Reader) error {
	buffer := make([]byte, 64<<10)
	var last byte
	inPair := false
	var tail []byte // the beginning of a character that goes on in the next part
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

// characters counts bytes that are no UTF-8 and gives the unfinished rest.
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

// pairs is how many backslashes begin an escape, if all of them do as MySQL's clients
// write them; 0 otherwise. One that does not proves that none is meant as one.
func (c *census) pairs(delimiter byte) (n int) {
	for b, count := range c.escaped {
		if count > 0 && byte(b) != delimiter && !strings.ContainsRune("\\0tnN\"\r\n", rune(b)) {
			return 0
		}
		n += count
	}
	return n
}

// nullsOnly tells that nothing is escaped but the NULL.
func (c *census) nullsOnly(delimiter byte) bool { return c.pairs(delimiter) == c.escaped['N'] }

// delimiters are what may stand between fields, with their names.
func delimiterName(b byte) string {
	return map[byte]string{',': "commas", ';': "semicolons", '\t': "tabs", '|': "bars"}[b]
}

// findDelimiter is the one that cuts a header into the most columns that are known.
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

// candidates are the dialects that a text may be of, the most likely first.
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
			// In a file with tabs a quote may be one of a value: database clients write
			// none of their own. In the others a row with a broken quote is a bad row.
			if o.Quotes == Off || c.quote == 0 || o.Quotes == Auto && delimiter == '\t' {
				list = append(list, d)
			}
		}
	}
	return list
}

// fit is how well a dialect fits a file.
type fit struct {
	// faults counts rows that cannot be cut, or that have another number of fields
	// than the header.
	faults int
	// bare counts fields that are not empty and not in quotes, spaced those among
	// them that begin or end with a space.
	rows, bare int
}

// unfit is more faults than any file has.
const unfit = int(^uint(0) >> 1)

// measure cuts a whole file by a dialect. It stops early at more than limit faults.
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
			// A quote that does not close would take the rows behind it along.
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

// choose finds the dialect with the fewest faults.
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

// readHeader finds the columns in the first row, or in the names that were given.
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

// firstNames is the first row, which may be the names of the columns.
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

// firstRow is the first row that is not empty; its end is errHeader.
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
