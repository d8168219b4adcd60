package world

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"gatepass/codec"
)

var eras = []Era{Era112, Era243, Era335}

// eraNamed has the eras by the names that the vectors use, which are their Strings.
var eraNamed = map[string]Era{"1.12": Era112, "2.4.3": Era243, "3.3.5": Era335}

// buildOf has a build of real clients for each era.
var buildOf = map[Era]uint16{Era112: 5875, Era243: 8606, Era335: 12340}

// hexBytes is a text of hex digits in JSON.
type hexBytes []byte

func (h *hexBytes) UnmarshalText(t []byte) (err error) {
	*h, err = hex.DecodeString(string(t))
	return err
}

// row is one line of a TSV file, by column name.
type row map[string]string

// mustReadTSV reads a vector file and fails unless it has that many rows.
func mustReadTSV(t testing.TB, name string, count int) (rows []row) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var columns []string
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if list, ok := strings.CutPrefix(line, "# columns (tab separated): "); ok {
			columns = strings.Split(list, "  ")
		}
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		r := row{}
		for i, value := range strings.Split(line, "\t") {
			r[columns[i]] = value
		}
		rows = append(rows, r)
	}
	if len(rows) != count {
		t.Fatalf("%s has %d rows, want %d", name, len(rows), count)
	}
	return rows
}

func (r row) hex(t testing.TB, column string) []byte {
	t.Helper()
	b, err := hex.DecodeString(r[column])
	if err != nil || len(b) == 0 {
		t.Fatalf("column %s: %q: %v", column, r[column], err)
	}
	return b
}

func (r row) number(t testing.TB, column string) uint32 {
	t.Helper()
	n, err := strconv.ParseUint(r[column], 10, 32)
	if err != nil {
		t.Fatalf("column %s: %v", column, err)
	}
	return uint32(n)
}

func (r row) key(t testing.TB) *[40]byte {
	t.Helper()
	k := [40]byte(r.hex(t, "K"))
	return &k
}

// eachLine decodes the lines of a file in testdata.
func eachLine[T any](t testing.TB, name string) (rows []T) {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var r T
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		rows = append(rows, r)
	}
	return rows
}

func mustCodec(t testing.TB, e Era) *Codec {
	t.Helper()
	c, err := New(Options{Builds: []uint16{buildOf[e]}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func mustClient(t testing.TB, e Era) *Client {
	t.Helper()
	c, err := NewClient(buildOf[e])
	if err != nil {
		t.Fatal(err)
	}
	return c
}

var testKey = [40]byte{1, 2, 3, 250, 251, 39: 7}

func testAuth(e Era) *AuthSession {
	name, _ := codec.NameOf("PLAYER")
	a := &AuthSession{
		WorldAuth: codec.WorldAuth{Name: name, Build: buildOf[e], ClientSeed: [4]byte{9, 8, 7, 6}},
		AddonSize: 3, Addons: []byte("zlib"),
	}
	if e == Era335 {
		a.Realm = 5
	}
	a.Sign([4]byte{1, 2, 3, 4}, &testKey)
	return a
}

// mustAppend encodes a reply.
func mustAppend(t testing.TB, s *Session, kind codec.ReplyKind, w codec.WorldReply) []byte {
	t.Helper()
	b, err := s.Append(nil, &codec.Reply{Kind: kind, World: &w})
	if err != nil {
		t.Fatalf("%v %v: %v", kind, w, err)
	}
	return b
}

// mustDecode decodes one whole packet.
func mustDecode(t testing.TB, s *Session, b []byte) codec.Message {
	t.Helper()
	var m codec.Message
	if n, err := s.Decode(b, &m); err != nil || n != len(b) {
		t.Fatalf("%d of %d bytes: %v", n, len(b), err)
	}
	return m
}

// mustReceive decodes one whole packet of the server.
func mustReceive(t testing.TB, c *Client, b []byte) Packet {
	t.Helper()
	p, n, err := c.Decode(b)
	if err != nil || n != len(b) {
		t.Fatalf("%d of %d bytes: %v", n, len(b), err)
	}
	return p
}

func mustSend(t testing.TB, c *Client, opcode uint32, body []byte) []byte {
	t.Helper()
	b, err := c.AppendPacket(nil, opcode, body)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mustAuthSession returns the client's first packet.
func mustAuthSession(t testing.TB, c *Client, a *AuthSession) []byte {
	t.Helper()
	b, err := c.AppendAuthSession(nil, a, &testKey)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mustOpen returns both halves of an open connection.
func mustOpen(t testing.TB, e Era) (*Session, *Client) {
	t.Helper()
	s, c := mustCodec(t, e).Open(), mustClient(t, e)
	mustDecode(t, s, mustAuthSession(t, c, testAuth(e)))
	ok := codec.WorldReply{Code: CodeOK, Key: testKey, KeySet: true}
	mustReceive(t, c, mustAppend(t, s, codec.ReplyWorldAuth, ok))
	return s, c
}
