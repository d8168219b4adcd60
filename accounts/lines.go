package accounts

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// errLineTooLong: a line exceeds its limit.
var errLineTooLong = errors.New("the line is too long")

// lineReader cuts a file into lines. Each comes without its newline and carriage
// return, the first without a byte order mark. Not safe for concurrent use.
type lineReader struct {
	r *bufio.Reader
	// number of the line read last, from 1; offset is the byte behind it.
	number int
	offset int64
}

func newLineReader(r io.Reader) *lineReader {
	return &lineReader{r: bufio.NewReaderSize(r, MaxImportLine)}
}

// next is the next line; it is valid until the following call. A line that is
// too long is passed over whole and gives errLineTooLong. io.EOF is the end.
func (l *lineReader) next() ([]byte, error) {
	line, err := l.r.ReadSlice('\n')
	l.offset += int64(len(line))
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
	if l.number == 1 {
		line = bytes.TrimPrefix(line, []byte("\xef\xbb\xbf"))
	}
	line = bytes.TrimSuffix(line, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r")), nil
}

// skip passes over the rest of a line.
func (l *lineReader) skip() error {
	for {
		part, err := l.r.ReadSlice('\n')
		l.offset += int64(len(part))
		switch {
		case err == nil, errors.Is(err, io.EOF):
			return errLineTooLong
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}
