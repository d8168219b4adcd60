package accounts

import (
	"errors"
	"strings"
)

// Errors of rows that cannot be split into fields. None contains a value.
var (
	errQuoteOpen = errors.New("a quoted field does not end")
	errQuoteRest = errors.New("text behind the closing quote of a field")
)

// dialect is the syntax of a table, the same for every field of the file. Look chooses
// it from the whole file before any row is stored.
type dialect struct {
	// delimiter separates fields.
	delimiter byte
	// quotes: a field can be in double quotes. A quote inside the field is doubled.
	quotes bool
	// escapes: a backslash escapes the next byte, as MySQL's clients write it.
	escapes bool
	// multiline: a quoted field can contain line ends.
	multiline bool
	// loneCR: a carriage return without a newline also ends a line.
	loneCR bool
	// trim: spaces around an unquoted field are not part of it.
	trim bool
	// quotedNull: every field is quoted, so quotes do not distinguish the text "NULL"
	// from the database's NULL.
	quotedNull bool
}

// cell is one field of a row.
type cell struct {
	text string
	// null: the field is a database NULL.
	null bool
	// quoted: the field was in quotes.
	quoted bool
}

// split appends the fields of a row to dst and returns it.
func (d *dialect) split(line string, dst []cell) ([]cell, error) {
	for {
		c, rest, more, err := d.field(line)
		if err != nil {
			return nil, err
		}
		if dst = append(dst, c); !more {
			return dst, nil
		}
		line = rest
	}
}

// field returns the first field of line. more reports whether rest holds another field.
func (d *dialect) field(line string) (c cell, rest string, more bool, err error) {
	if d.quotes {
		begin := line
		if d.trim {
			begin = strings.TrimLeft(line, " ")
		}
		if strings.HasPrefix(begin, `"`) {
			return d.quoted(begin[1:])
		}
	}
	end := d.fieldEnd(line)
	raw := line[:end]
	if end < len(line) {
		rest, more = line[end+1:], true
	}
	if d.trim {
		raw = strings.Trim(raw, " ")
	}
	switch {
	case isNull(raw):
		return cell{null: true}, rest, more, nil
	case d.escapes:
		raw = unescape(raw)
	}
	return cell{text: raw}, rest, more, nil
}

// fieldEnd returns the end of the unquoted field at the start of line.
func (d *dialect) fieldEnd(line string) int {
	if !d.escapes {
		if i := strings.IndexByte(line, d.delimiter); i >= 0 {
			return i
		}
		return len(line)
	}
	for i := 0; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case d.delimiter:
			return i
		}
	}
	return len(line)
}

// quoted reads a quoted field. line begins after the opening quote.
func (d *dialect) quoted(line string) (c cell, rest string, more bool, err error) {
	var b strings.Builder
	plain := true // no quote or backslash so far
	for i := 0; i < len(line); i++ {
		switch ch := line[i]; {
		case ch == '\\' && d.escapes && i+1 < len(line):
			i++
			b.WriteByte(unescaped(line[i]))
			plain = false
		case ch != '"':
			b.WriteByte(ch)
		case i+1 < len(line) && line[i+1] == '"':
			i++
			b.WriteByte('"')
		default:
			c = cell{text: b.String(), quoted: true}
			if raw := line[:i]; raw == `\N` || plain && d.quotedNull && isNull(raw) {
				c = cell{null: true, quoted: true}
			}
			rest, more, err = d.behind(line[i+1:])
			return c, rest, more, err
		}
	}
	return cell{}, "", false, errQuoteOpen
}

// behind skips a delimiter after a closing quote. Any other text there is an error.
func (d *dialect) behind(line string) (rest string, more bool, err error) {
	if d.trim {
		line = strings.TrimLeft(line, " ")
	}
	switch {
	case line == "":
		return "", false, nil
	case line[0] == d.delimiter:
		return line[1:], true, nil
	}
	return "", false, errQuoteRest
}

// isNull reports whether text is what database clients print for NULL.
func isNull(text string) bool {
	switch len(text) {
	case 2:
		return text == `\N`
	case 4:
		return strings.EqualFold(text, "NULL")
	case 6:
		return strings.EqualFold(text, "(NULL)") || strings.EqualFold(text, "[NULL]") || strings.EqualFold(text, "<NULL>")
	}
	return false
}

// unescape decodes the escapes of mysql --batch and SELECT ... INTO OUTFILE.
func unescape(text string) string {
	if strings.IndexByte(text, '\\') < 0 {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '\\' && i+1 < len(text) {
			i++
			b.WriteByte(unescaped(text[i]))
			continue
		}
		b.WriteByte(text[i])
	}
	return b.String()
}

func unescaped(c byte) byte {
	switch c {
	case '0':
		return 0
	case 't':
		return '\t'
	case 'n':
		return '\n'
	}
	return c
}

// rowState records whether a row continues after the end of a line.
type rowState struct {
	inQuotes, escaped, closed bool
	// begin: the field so far has only spaces.
	begin bool
}

// advance reads one line with its end. It returns true if the row ends there.
func (d *dialect) advance(s *rowState, line []byte) bool {
	for _, c := range line {
		switch {
		case s.escaped:
			s.escaped, s.begin = false, false
		case c == '\\' && d.escapes:
			s.escaped, s.begin, s.closed = true, false, false
		case s.inQuotes:
			if c == '"' {
				s.inQuotes, s.closed = false, true
			}
		case c == '"' && d.quotes && (s.begin || s.closed):
			s.inQuotes, s.begin, s.closed = true, false, false
		case c == d.delimiter:
			s.begin, s.closed = true, false
		case c == ' ' && d.trim && s.begin:
		default:
			s.begin, s.closed = false, false
		}
	}
	if s.escaped { // the line end is escaped: it is part of the field
		s.escaped = false
		return false
	}
	return !s.inQuotes
}
