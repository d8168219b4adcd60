package accounts

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// encoding is the character encoding of a file.
type encoding uint8

const (
	encodingUTF8 encoding = iota
	encodingUTF16LE
	encodingUTF16BE
)

func (e encoding) String() string {
	switch e {
	case encodingUTF16LE:
		return "UTF-16 (little-endian)"
	case encodingUTF16BE:
		return "UTF-16 (big-endian)"
	}
	return "UTF-8"
}

// headBytes is how many bytes at the start of a file decide its kind.
const headBytes = 4096

// Errors of files of an unknown kind. Such a file is refused as a whole.
var (
	errEmpty    = errors.New("the file is empty")
	errSQLDump  = errors.New("the file is an SQL dump; export the account table instead: mysql --batch -e \"SELECT ... FROM account\" DATABASE > accounts.tsv (docs/import.md has the statements)")
	errBoxTable = errors.New("the file is a table as mysql draws it for people; add --batch to the mysql command")
	errVertical = errors.New("the file is what mysql prints for \\G; end the statement with a semicolon and add --batch to the mysql command")
	errMarkup   = errors.New("the file is HTML or XML; export CSV, or use mysql --batch without --html and --xml")
	errUTF32    = errors.New("the file is UTF-32; save it as UTF-8")
	errBinary   = errors.New("the file is binary: there are NUL bytes in it; give CSV, tab separated values or JSON")
)

// magic has the first bytes of other kinds of files, and how to convert them.
var magic = []struct{ begin, kind, mend string }{
	{"\x1f\x8b", "compressed with gzip", "unpack it: gunzip -c FILE | gatepass account import -"},
	{"PK\x03\x04", "a ZIP archive or a spreadsheet (XLSX, ODS)", "unpack it, or save the spreadsheet as CSV"},
	{"\xd0\xcf\x11\xe0", "a spreadsheet (XLS)", "save it as CSV"},
	{"BZh", "compressed with bzip2", "unpack it: bunzip2 -c FILE | gatepass account import -"},
	{"\xfd7zXZ\x00", "compressed with xz", "unpack it: xz -dc FILE | gatepass account import -"},
	{"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it: zstd -dc FILE | gatepass account import -"},
	{"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"},
	{"Rar!", "a RAR archive", "unpack it"},
	{"SQLite format 3\x00", "an SQLite database", "export a table: sqlite3 -header -csv FILE 'SELECT ... FROM account'"},
	{"%PDF", "a PDF", "give CSV, tab separated values or JSON"},
	{"\x7fELF", "a program", "give CSV, tab separated values or JSON"},
	{"{\\rtf", "a text document (RTF)", "save it as plain text"},
}

// kindOf checks the first bytes of a file. It returns the encoding and the length of
// the byte order mark, or an error for an unsupported kind.
func kindOf(head []byte) (encoding, int, error) {
	for _, m := range magic {
		if bytes.HasPrefix(head, []byte(m.begin)) {
			return 0, 0, fmt.Errorf("the file is %s; %s", m.kind, m.mend)
		}
	}
	switch {
	case bytes.HasPrefix(head, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(head, []byte("\x00\x00\xfe\xff")):
		return 0, 0, errUTF32
	case bytes.HasPrefix(head, []byte("\xff\xfe")):
		return encodingUTF16LE, 2, nil
	case bytes.HasPrefix(head, []byte("\xfe\xff")):
		return encodingUTF16BE, 2, nil
	case bytes.HasPrefix(head, []byte("\xef\xbb\xbf")):
		return encodingUTF8, 3, nil
	}
	return unmarked(head), 0, nil
}

// unmarked detects UTF-16 without a byte order mark. In UTF-16, every second byte of
// Latin letters is zero: the odd bytes in little-endian, the even bytes in big-endian.
func unmarked(head []byte) encoding {
	head = head[:min(len(head), 64)&^1]
	var zeros [2]int
	for i, b := range head {
		if b == 0 {
			zeros[i%2]++
		}
	}
	switch half := len(head) / 2; {
	case half < 4:
	case zeros[1] > half*3/4 && zeros[0] == 0:
		return encodingUTF16LE
	case zeros[0] > half*3/4 && zeros[1] == 0:
		return encodingUTF16BE
	}
	return encodingUTF8
}

// textKind refuses text that is not a table, by its first decoded bytes.
func textKind(head []byte) error {
	text := bytes.TrimLeft(head, " \t\r\n")
	word := func(prefix string) bool {
		return len(text) >= len(prefix) && bytes.EqualFold(text[:len(prefix)], []byte(prefix))
	}
	switch {
	case len(text) == 0:
		return errEmpty
	case word("<"):
		return errMarkup
	case word("+--"):
		return errBoxTable
	case word("*****"):
		return errVertical
	case word("--"), word("/*"), word("INSERT INTO"), word("CREATE TABLE"), word("DROP TABLE"), word("SET "), word("REPLACE INTO"), word("USE `"), word("LOCK TABLES"):
		return errSQLDump
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if bytes.IndexByte(line, 0) >= 0 {
		return errBinary
	}
	return nil
}

// utf16Reader converts UTF-16 to UTF-8. Invalid characters become U+FFFD.
type utf16Reader struct {
	in     io.Reader
	big    bool
	raw    []byte // read but not decoded
	out    []byte // decoded but not returned
	buffer []byte
	err    error
}

func newUTF16Reader(in io.Reader, big bool) *utf16Reader {
	return &utf16Reader{in: in, big: big, buffer: make([]byte, 32<<10)}
}

// Read implements io.Reader.
func (r *utf16Reader) Read(p []byte) (int, error) {
	for len(r.out) == 0 {
		if r.err != nil {
			return 0, r.err
		}
		var n int
		n, r.err = r.in.Read(r.buffer)
		r.raw = append(r.raw, r.buffer[:n]...)
		r.decode(r.err != nil)
	}
	n := copy(p, r.out)
	r.out = r.out[n:]
	return n, nil
}

func (r *utf16Reader) unit(i int) rune {
	if r.big {
		return rune(r.raw[i])<<8 | rune(r.raw[i+1])
	}
	return rune(r.raw[i+1])<<8 | rune(r.raw[i])
}

// decode converts the bytes in raw. If last is set, it also converts half a character.
func (r *utf16Reader) decode(last bool) {
	r.out = r.out[:0]
	i := 0
	for ; i+1 < len(r.raw); i += 2 {
		c := r.unit(i)
		if utf16.IsSurrogate(c) {
			if i+3 >= len(r.raw) && !last {
				break
			}
			pair := rune(utf8.RuneError)
			if i+3 < len(r.raw) {
				pair = utf16.DecodeRune(c, r.unit(i+2))
			}
			if c = pair; pair != utf8.RuneError {
				i += 2
			}
		}
		r.out = utf8.AppendRune(r.out, c)
	}
	if last && i < len(r.raw) {
		r.out = utf8.AppendRune(r.out, utf8.RuneError)
		i = len(r.raw)
	}
	r.raw = append(r.raw[:0], r.raw[i:]...)
}

// newlineReader converts CR and CRLF to LF.
type newlineReader struct {
	in   io.Reader
	wasR bool
}

// Read implements io.Reader.
func (r *newlineReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	kept := p[:0]
	for _, b := range p[:n] {
		switch {
		case b == '\n' && r.wasR:
			r.wasR = false
		case b == '\r':
			kept, r.wasR = append(kept, '\n'), true
		default:
			kept, r.wasR = append(kept, b), false
		}
	}
	return len(kept), err
}

// countingReader counts the bytes read from a file.
type countingReader struct {
	in io.Reader
	n  int64
}

// Read implements io.Reader.
func (r *countingReader) Read(p []byte) (int, error) {
	n, err := r.in.Read(p)
	r.n += int64(n)
	return n, err
}
