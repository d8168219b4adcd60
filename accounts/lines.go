package accounts

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// errLineTooLong: a line is longer than the limit.
var errLineTooLong = errors.New("the line is too long")

// rowReader splits a file into rows.
type rowReader interface {
	// next returns the next row, which is valid until the following call. For a row
	// that is too long it returns errLineTooLong and skips the whole row. At the end it
	// returns io.EOF.
	next() ([]byte, error)
	// line returns the first line of the last row, counted from 1.
	line() int
}

// lineReader splits a file into lines without their newline and carriage return. It is
// not safe for concurrent use.
type lineReader struct {
	r *bufio.Reader
	// number is the number of the last line, counted from 1.
	number int
	// keepCR keeps a carriage return at the end of a line. It may be part of a value.
	keepCR bool
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, MaxImportLine)}
}

func (l *lineReader) line() int { return l.number }

func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	if len(line) == 0 && err != nil {
		return nil, err
	}
	l.number++
	switch {
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, l.skip()
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	if l.keepCR {
		return line, nil
	}
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// skip skips the rest of a line.
func (l *lineReader) skip() error {
	for {
		_, err := l.r.ReadSlice('\n')
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return errLineTooLong
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// tableReader joins lines to rows. Some dialects allow a row of several lines.
type tableReader struct {
	// lines keeps carriage returns: inside a row they are data.
	lines   *lineReader
	dialect *dialect
	// dropCR removes the carriage return at the end of a row.
	dropCR bool
	first  int
	row    []byte
}

func (t *tableReader) line() int { return t.first }

func (t *tableReader) next() ([]byte, error) {
	line, err := t.lines.next()
	t.first = t.lines.number
	if err != nil || !t.dialect.multiline && !t.dialect.escapes {
		return t.end(line), err
	}
	s := rowState{begin: true}
	if t.complete(&s, line) {
		return t.end(line), nil
	}
	t.row = append(t.row[:0], line...)
	for {
		more, err := t.lines.next()
		if errors.Is(err, io.EOF) {
			return t.end(t.row), nil
		}
		if err != nil {
			return nil, err
		}
		if len(t.row)+len(more) >= MaxImportLine {
			return nil, errLineTooLong
		}
		t.row = append(append(t.row, '\n'), more...)
		if t.complete(&s, more) {
			return t.end(t.row), nil
		}
	}
}

func (t *tableReader) end(row []byte) []byte {
	if t.dropCR {
		return bytes.TrimSuffix(row, []byte("\r"))
	}
	return row
}

// complete reports whether the row ends with this line. A quote that is open at the end
// of a line continues the row only if the dialect is multiline.
func (t *tableReader) complete(s *rowState, line []byte) bool {
	if t.dialect.advance(s, line) {
		return true
	}
	return s.inQuotes && !t.dialect.multiline
}

// valueReader splits a JSON array, or a file of JSON values of several lines, into
// values.
type valueReader struct {
	d       *json.Decoder
	counter *lineCounter
	array   bool
	opened  bool
	first   int
	value   json.RawMessage
}

func newValueReader(in io.Reader, array bool) *valueReader {
	c := &lineCounter{in: in}
	return &valueReader{d: json.NewDecoder(c), counter: c, array: array}
}

func (v *valueReader) line() int { return v.first }

func (v *valueReader) next() ([]byte, error) {
	if v.array && !v.opened {
		v.opened = true
		if _, err := v.d.Token(); err != nil {
			return nil, v.broken(err)
		}
	}
	if v.array && !v.d.More() {
		if _, err := v.d.Token(); err != nil {
			return nil, v.broken(err)
		}
		if _, err := v.d.Token(); !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("line %d: something stands behind the end of the JSON array", v.counter.lineAt(v.d.InputOffset()))
		}
		return nil, io.EOF
	}
	err := v.d.Decode(&v.value)
	if errors.Is(err, io.EOF) && !v.array {
		return nil, io.EOF
	}
	if err != nil {
		return nil, v.broken(err)
	}
	v.counter.done = v.d.InputOffset()
	// The first line of a value is its last line minus its newlines.
	v.first = v.counter.lineAt(v.d.InputOffset()) - bytes.Count(v.value, []byte("\n"))
	if len(v.value) > MaxImportLine {
		return nil, errLineTooLong
	}
	return v.value, nil
}

// broken returns the error for JSON in which no further row can be found. It ends the
// import.
func (v *valueReader) broken(err error) error {
	var syntax *json.SyntaxError
	switch {
	case errors.As(err, &syntax):
		return fmt.Errorf("line %d: this is no JSON", v.counter.lineAt(syntax.Offset))
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return errors.New("the JSON ends in the middle: the file is cut off")
	}
	return err
}

// lineCounter maps offsets of the decoder to line numbers.
type lineCounter struct {
	in       io.Reader
	offset   int64
	done     int64   // the end of the last whole value
	newlines []int64 // offsets of newlines that are read but not yet passed
	passed   int     // number of newlines before newlines[0]
}

// Read implements io.Reader. It returns an error for a value longer than maxJSONValue.
func (c *lineCounter) Read(p []byte) (int, error) {
	if c.offset-c.done > maxJSONValue {
		return 0, fmt.Errorf("line %d: %w", c.passed+1, errLineTooLong)
	}
	n, err := c.in.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.newlines = append(c.newlines, c.offset+int64(i))
		}
	}
	c.offset += int64(n)
	return n, err
}

// lineAt returns the line of an offset. Offsets must not decrease from call to call.
func (c *lineCounter) lineAt(offset int64) int {
	i := 0
	for i < len(c.newlines) && c.newlines[i] < offset {
		i++
	}
	c.newlines, c.passed = c.newlines[i:], c.passed+i
	return c.passed + 1
}
