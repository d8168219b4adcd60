package accounts

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
)

var (
	errHeader      = errors.New("the first line must name the columns, for instance username,password (or give them with --header)")
	errHeaderTwice = errors.New("the first line names the columns already; leave --header out")
	errHex         = errors.New("the file holds salts and verifiers as raw bytes that cannot be told from line ends; export them with HEX(): SELECT username, HEX(salt) AS salt, HEX(verifier) AS verifier FROM account")
)

// Plan is how a file is read: one set of rules for the whole file. Look makes it and
// Import applies it.
type Plan struct {
	// Rows counts the rows that are not empty.
	Rows int
	// Notes are warnings for the operator before the import.
	Notes []string

	in       io.ReadSeeker
	options  ImportOptions
	format   Format
	encoding encoding
	mark     int
	multi    bool // JSON values of several lines
	version  int  // version of an export
	census   census
	headCR   bool // the first line ends with CRLF
	dialect  dialect
	header   []string // given by the operator
	names    []string
	columns  []column
	table    tableKind
	counted  *countingReader
}

// LeftOut counts the data that an import drops, by kind.
type LeftOut [leftCount]int

// Each calls f with every kind of dropped data and its count.
func (l *LeftOut) Each(f func(what string, n int)) {
	for i, n := range l {
		if n > 0 {
			f(leftOut(i).String(), n)
		}
	}
}

func (l *LeftOut) add(s leftSet) {
	for i := range leftCount {
		if s.has(i) {
			l[i]++
		}
	}
}

// Look reads a whole file and detects its format. It stores nothing. It refuses unknown
// kinds of files, and files whose salts and verifiers are in another byte order than
// their columns imply.
func Look(ctx context.Context, in io.ReadSeeker, o ImportOptions) (*Plan, error) {
	p := &Plan{in: in, options: o, header: o.Header}
	head := make([]byte, headBytes)
	n, err := p.head(head)
	if err != nil {
		return nil, err
	}
	head = head[:n]
	if p.encoding, p.mark, err = kindOf(head); err != nil {
		return nil, err
	}
	text, err := p.text()
	if err != nil {
		return nil, err
	}
	n, err = io.ReadFull(text, head[:cap(head)])
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return nil, err
	}
	head = head[:n]
	if err := textKind(head); err != nil {
		return nil, err
	}
	if p.decideFormat(head); p.format == FormatNDJSON || p.format == FormatJSON {
		err = p.lookAtJSON(head)
	} else {
		err = p.lookAtTable(ctx, head)
	}
	if err != nil {
		return nil, err
	}
	return p, p.survey(ctx)
}

func (p *Plan) head(head []byte) (int, error) {
	if _, err := p.in.Seek(0, io.SeekStart); err != nil {
		return 0, err
	}
	n, err := io.ReadFull(p.in, head)
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return n, err
}

// text reads the file from its start as UTF-8.
func (p *Plan) text() (io.Reader, error) {
	if _, err := p.in.Seek(int64(p.mark), io.SeekStart); err != nil {
		return nil, err
	}
	p.counted = &countingReader{in: p.in, n: int64(p.mark)}
	if p.encoding == encodingUTF8 {
		return p.counted, nil
	}
	return newUTF16Reader(p.counted, p.encoding == encodingUTF16BE), nil
}

// rows reads the file from its start and splits it by a dialect.
func (p *Plan) rows(d *dialect) (rowReader, error) {
	in, err := p.text()
	if err != nil {
		return nil, err
	}
	if d.loneCR {
		in = &newlineReader{in: in}
	}
	if p.format == FormatJSON {
		return newValueReader(in, !p.multi), nil
	}
	lines := newLineReader(in)
	if p.format == FormatNDJSON {
		return lines, nil
	}
	lines.keepCR = true
	// A raw byte string can end in a carriage return that is not part of the line end.
	return &tableReader{lines: lines, dialect: d, dropCR: p.census.invalid == 0 || p.headCR}, nil
}

// decideFormat detects the format from the content, unless the operator gave it.
func (p *Plan) decideFormat(head []byte) {
	p.format = p.options.Format
	text := bytes.TrimLeft(head, " \t\r\n")
	switch {
	case p.format != FormatAuto:
	case text[0] == '[':
		p.format = FormatJSON
	case text[0] == '{':
		p.format = FormatNDJSON
	}
	// Objects of several lines, as jq prints them.
	line, _, more := bytes.Cut(text, []byte("\n"))
	if line = bytes.TrimSpace(line); text[0] == '{' && more && p.format != FormatCSV && p.format != FormatTSV && !bytes.HasSuffix(line, []byte("}")) && len(line) < 200 {
		p.format, p.multi = FormatJSON, true
	}
}

func (p *Plan) lookAtJSON(head []byte) (err error) {
	p.dialect.loneCR = bytes.IndexByte(head, '\n') < 0 && bytes.IndexByte(head, '\r') >= 0
	if p.format == FormatNDJSON {
		line, _, _ := bytes.Cut(bytes.TrimLeft(head, " \t\r\n"), []byte("\n"))
		p.version, err = exportVersionOf(line)
	}
	return err
}

func (p *Plan) lookAtTable(ctx context.Context, head []byte) error {
	text, err := p.text()
	if err != nil {
		return err
	}
	if err := p.census.count(ctx, text); err != nil {
		return err
	}
	if i := bytes.IndexByte(head, '\n'); i > 0 {
		p.headCR = head[i-1] == '\r'
	}
	header := string(head)
	if i := strings.IndexAny(strings.TrimLeft(header, "\r\n"), "\r\n"); i >= 0 {
		header = strings.TrimLeft(header, "\r\n")[:i]
	}
	if p.header != nil {
		header = strings.Join(p.header, ",")
	}
	delimiter := p.options.Delimiter
	if delimiter == 0 && p.header == nil {
		delimiter = findDelimiter(header, p.options.Format)
	} else if delimiter == 0 {
		delimiter = findUnnamed(string(head), len(p.header), p.options.Format)
	}
	if err := p.choose(ctx, p.census.candidates(delimiter, &p.options)); err != nil {
		return err
	}
	if err := p.readHeader(); err != nil {
		return err
	}
	return p.checkBytes(ctx)
}

// findUnnamed returns the delimiter that splits the first line into as many fields as
// the operator gave names.
func findUnnamed(head string, columns int, format Format) byte {
	line, _, _ := strings.Cut(head, "\n")
	for _, b := range []byte{'\t', ',', ';', '|'} {
		if strings.Count(line, string(b)) == columns-1 && (format != FormatCSV || b != '\t') {
			return b
		}
	}
	return findDelimiter(line, format)
}

// checkBytes refuses a table that contains raw bytes without escapes.
func (p *Plan) checkBytes(ctx context.Context) error {
	if p.census.nul == 0 && p.census.invalid == 0 {
		return nil
	}
	binary := false
	for _, c := range p.columns {
		binary = binary || c == columnSalt || c == columnVerifier || c == columnTOTP
	}
	if !binary {
		return nil
	}
	f, err := p.measure(ctx, &p.dialect, unfit)
	if err == nil && (p.census.nul > 0 || f.faults*20 > f.rows) {
		err = errHex
	}
	return err
}

// parser returns the function that parses one row. Several goroutines may call it.
func (p *Plan) parser(now int64) func(row []byte) (draft, error) {
	r := &rules{now: now, order: p.options.Order}
	if p.format == FormatNDJSON || p.format == FormatJSON {
		return (&objects{version: p.version, rules: r}).parse
	}
	return (&tableRows{plan: p, rules: r}).parse
}

// tableRows parses the rows of a table.
type tableRows struct {
	plan  *Plan
	rules *rules
}

func (t *tableRows) parse(row []byte) (draft, error) {
	p := t.plan
	cells, err := p.dialect.split(string(row), make([]cell, 0, len(p.columns)))
	if err != nil {
		first, _, _, _ := p.dialect.field(string(row))
		d, _ := t.ragged([]cell{first})
		return d, err
	}
	if len(cells) != len(p.columns) {
		return t.ragged(cells)
	}
	var f fields
	for i, c := range p.columns {
		if c < columnCount {
			f[c] = cells[i].text
		}
	}
	d, err := f.draft(p.table, t.rules)
	if errors.Is(err, errNoSecret) || errors.Is(err, errHalfPair) {
		err = &FieldError{Field: p.secretColumns(), Problem: "is empty or NULL, so that nobody could log in", cause: err}
	}
	return d, err
}

// secretColumns returns the names of the columns that may contain login secrets.
func (p *Plan) secretColumns() string {
	var names []string
	for i, c := range p.columns {
		if c >= columnPassword && c <= columnShaPassHash {
			names = append(names, p.names[i])
		}
	}
	return strings.Join(names, ", ")
}

// ragged returns the error for a row with more or fewer fields than the header. An
// unquoted password with a comma causes this, and would be stored cut. The error names
// the account only if the name is the first field, because other fields may be shifted.
func (t *tableRows) ragged(cells []cell) (d draft, err error) {
	p := t.plan
	if p.columns[0] == columnUsername && len(cells) > 0 {
		d.account.Name, _ = ParseName(cells[0].text)
	}
	return d, fmt.Errorf("%d fields where the header has %d; put fields with %s or a quote in quotes",
		len(cells), len(p.columns), map[byte]string{',': "a comma", ';': "a semicolon", '\t': "a tab", '|': "a bar"}[p.dialect.delimiter])
}

// Lines returns a description of how the file is read, for people.
func (p *Plan) Lines() []string {
	lines := []string{p.kind()}
	for i, name := range p.names {
		lines = append(lines, fmt.Sprintf("  %-16s %s", name, p.columns[i].use(p.options.Order)))
	}
	return append(lines, p.Notes...)
}

func (p *Plan) kind() string {
	rows := fmt.Sprintf("%d rows", p.Rows)
	if p.Rows == 1 {
		rows = "1 row"
	}
	switch {
	case p.version > 0:
		return fmt.Sprintf("a gatepass export of version %d, %s", p.version, rows)
	case p.format == FormatNDJSON:
		return fmt.Sprintf("NDJSON, %s, %s", p.encoding, rows)
	case p.format == FormatJSON && p.multi:
		return fmt.Sprintf("JSON objects, %s, %s", p.encoding, rows)
	case p.format == FormatJSON:
		return fmt.Sprintf("a JSON array, %s, %s", p.encoding, rows)
	}
	d := &p.dialect
	parts := []string{"a table with " + delimiterName(d.delimiter), p.encoding.String(), p.lineEnds(), rows}
	if d.quotes {
		parts = append(parts, "fields in quotes")
	}
	if d.multiline {
		parts = append(parts, "line ends in quotes")
	}
	if d.escapes {
		parts = append(parts, "backslash escapes as of mysql --batch")
	}
	if d.quotedNull {
		parts = append(parts, "every field quoted, so \"NULL\" is NULL")
	}
	return strings.Join(parts, ", ")
}

func (p *Plan) lineEnds() string {
	switch c := &p.census; {
	case c.lf == 0 && c.loneCR > 0:
		return "CR line ends"
	case c.crlf > 0 && c.crlf == c.lf:
		return "CRLF line ends"
	case c.crlf > 0 || p.dialect.loneCR:
		return "mixed line ends"
	}
	return "LF line ends"
}

// use returns a description of how a column is used.
func (c column) use(o ByteOrder) string {
	switch c {
	case columnUsername:
		return "the name of the account"
	case columnPassword:
		return "its password"
	case columnSalt, columnVerifier, columnS, columnV:
		if (c == columnSalt || c == columnVerifier) == (o == OrderReversed) {
			return "its verifier: a number, highest digit first"
		}
		return "its verifier: 32 bytes in the order of the wire"
	case columnShaPassHash:
		return "a verifier is made of it where there is none"
	case columnPIN, columnTOTP, columnToken, columnSecurity:
		return "its second factor"
	case columnCreated, columnLastLogin, columnLastAddress, columnFailed:
		return "what was"
	case columnBanSince, columnBanUntil, columnBanBy, columnBanReason, columnBanActive, columnUnbanned:
		return "its ban"
	case columnIP:
		return "the address that is banned"
	case columnLocked, columnLockedIP, columnLockCountry, columnMute, columnAccess, columnEmail:
		return "left out, and counted"
	case columnUnneeded:
		return "not needed"
	}
	return "unknown, left out"
}
