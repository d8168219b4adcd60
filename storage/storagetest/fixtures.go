package storagetest

import (
	"context"
	"fmt"
	"testing"

	"gatepass/storage"
)

// Account returns the i-th account of a test.
func Account(i int) *storage.Account {
	n, err := storage.FoldName(fmt.Sprintf("player%d", i))
	if err != nil {
		panic(err)
	}
	a := &storage.Account{Name: n, Created: int64(1_700_000_000 + i)}
	a.Grunt.Set = true
	for j := range a.Grunt.Salt {
		a.Grunt.Salt[j], a.Grunt.Verifier[j] = byte(i*j+i>>8), byte(i*j*7+j)
	}
	return a
}

// Create is a request that creates an account.
func Create(a *storage.Account) storage.Op { return storage.Op{Kind: storage.OpCreate, Account: a} }

// Fill creates the accounts numbered from up to, and without, to.
func Fill(t testing.TB, c *storage.Client, from, to int) {
	t.Helper()
	for from < to {
		n := min(to-from, 20_000)
		ops := make([]storage.Op, n)
		for i := range ops {
			ops[i] = Create(Account(from + i))
		}
		MustDo(t, c, ops...)
		from += n
	}
}

// MustDo does requests none of which may fail.
func MustDo(t testing.TB, c *storage.Client, ops ...storage.Op) []storage.Result {
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

// Do does one request, which may fail.
func Do(t testing.TB, c *storage.Client, op storage.Op) storage.Result {
	t.Helper()
	results, err := c.Do(context.Background(), op)
	if err != nil {
		t.Fatal(err)
	}
	return results[0]
}

// MustName folds a name that must be valid.
func MustName(t testing.TB, s string) storage.Name {
	t.Helper()
	n, err := storage.FoldName(s)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// MustClose closes a client and its store.
func MustClose(t testing.TB, c *storage.Client) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}
