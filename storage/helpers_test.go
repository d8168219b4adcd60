package storage

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// mustOpen opens a client on fs; the test closes it.
func mustOpen(t testing.TB, fs vfs.FS) *Client {
	t.Helper()
	c, err := OpenClient(Options{Dir: "data/store", FS: fs, FlushEvery: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func mustClose(t testing.TB, c *Client) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// mustDo does requests none of which may fail.
func mustDo(t testing.TB, c *Client, ops ...Op) []Result {
	t.Helper()
	results, err := c.Do(context.Background(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range results {
		if r.Err != nil {
			t.Fatalf("kind %d of %q: %v", r.Kind, r.Name, r.Err)
		}
	}
	return results
}

// do does one request.
func do(t testing.TB, c *Client, op Op) Result {
	t.Helper()
	results, err := c.Do(context.Background(), op)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

func mustName(t testing.TB, s string) Name {
	t.Helper()
	n, err := FoldName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// numbered is the i-th account of a test.
func numbered(i int) *Account {
	n, err := FoldName(fmt.Sprintf("player%d", i))
	if err != nil {
		panic(err)
	}
	a := &Account{Name: n, Created: int64(1_700_000_000 + i)}
	a.Grunt.Set = true
	for j := range a.Grunt.Salt {
		a.Grunt.Salt[j], a.Grunt.Verifier[j] = byte(i*j+i>>8), byte(i*j*7+j)
	}
	return a
}

func create(a *Account) Op { return Op{Kind: OpCreate, Account: a} }

// fill makes accounts number from up to to.
func fill(t testing.TB, c *Client, from, to int) {
	t.Helper()
	for from < to {
		n := min(to-from, 20_000)
		ops := make([]Op, n)
		for i := range ops {
			ops[i] = create(numbered(from + i))
		}
		mustDo(t, c, ops...)
		from += n
	}
}
