package accounts

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Errors of CSV files and their rows. None holds a value: a file whose header is
// missing has a password where the header should be.
var (
	errHeader    = errors.New("the first line must name the columns, for instance username,password")
	errHeaderUTF = errors.New("the file is UTF-16; save it as UTF-8")
	errQuoteOpen = errors.New("a quoted field does not end on its line")
	errQuoteRest = errors.New("text behind the closing quote of a field")
)

// table is a file with a header: CSV or TSV. Rows may be parsed by several
// goroutines.
type table struct {
	format  Format
	columns []column
	ignored []string
}

// parseHeader reads the line that names the columns.
func parseHeader(line []byte, format Format) (*table, error) {
	if len(line) > 1 && (line[0] == 0xff && line[1] == 0xfe || line[0] == 0xfe && line[1] == 0xff) {
		return nil, errHeaderUTF
	}
	t := &table{format: format}
	names, err := t.split(line)
	if err != nil {
		return nil, errHeader
	}
	for _, name := range names {
		c := columnOf(name)
		if c != columnIgnored && slices.Contains(t.columns, c) {
			return nil, fmt.Errorf("the column %s is there twice", strings.ToLower(strings.TrimSpace(name)))
		}
		if c == columnIgnored {
			t.ignored = append(t.ignored, strings.TrimSpace(name))
		}
		t.columns = append(t.columns, c)
	}
	secret := func(c column) bool { return c != columnIgnored && c != columnUsername }
	if !slices.Contains(t.columns, columnUsername) || !slices.ContainsFunc(t.columns, secret) {
		return nil, errHeader
	}
	return t, nil
}

// parse reads one row. A row with more or fewer fields than the header is bad:
// with a comma in an unquoted password it would be a wrong one.
func (t *table) parse(line []byte) (draft, []string, error) {
	texts, err := t.split(line)
	if err != nil {
		return draft{}, nil, err
	}
	if len(texts) != len(t.columns) {
		return draft{}, nil, fmt.Errorf("%d fields where the header has %d; put fields with a comma or a quote in quotes", len(texts), len(t.columns))
	}
	var f fields
	for i, c := range t.columns {
		if c != columnIgnored {
			f[c] = texts[i]
		}
	}
	var d draft
	if d.account.Name, err = ParseName(f[columnUsername]); err != nil {
		return draft{}, nil, err
	}
	return d, nil, d.secret(&f)
}

func (t *table) split(line []byte) ([]string, error) {
	if t.format == FormatTSV {
		return strings.Split(string(line), "\t"), nil
	}
	return splitCSV(string(line), make([]string, 0, len(t.columns)))
}

// splitCSV appends the fields of a line to dst. Quotes count only at the start of
// a field; inside quotes two of them are one.
func splitCSV(line string, dst []string) ([]string, error) {
	for {
		if !strings.HasPrefix(line, `"`) {
			field, rest, more := strings.Cut(line, ",")
			dst = append(dst, field)
			if !more {
				return dst, nil
			}
			line = rest
			continue
		}
		field, rest, err := cutQuoted(line[1:])
		if err != nil {
			return nil, err
		}
		dst = append(dst, field)
		if rest == "" {
			return dst, nil
		}
		if rest[0] != ',' {
			return nil, errQuoteRest
		}
		line = rest[1:]
	}
}

// cutQuoted reads a field behind its opening quote and gives what follows the
// closing one.
func cutQuoted(line string) (field, rest string, err error) {
	var b strings.Builder
	for {
		part, after, closed := strings.Cut(line, `"`)
		if !closed {
			return "", "", errQuoteOpen
		}
		b.WriteString(part)
		if !strings.HasPrefix(after, `"`) {
			return b.String(), after, nil
		}
		b.WriteByte('"')
		line = after[1:]
	}
}
