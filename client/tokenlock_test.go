package client_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"gatepass/client"
)

// onDisk is a fake that has remembered a device in a folder.
func onDisk(t *testing.T) (*fake, client.Options, string) {
	t.Helper()
	dir := t.TempDir()
	f, o := remembered(t, client.NewFileTokens(dir))
	return f, o, dir
}

// Programs that start at once with one token take turns: each gets in by it, and none
// looks like a thief.
func TestToken_ProgramsTakeTurns(t *testing.T) {
	f, o, dir := onDisk(t)
	var all sync.WaitGroup
	for range 8 {
		own := o
		own.Tokens = client.NewFileTokens(dir)
		all.Go(func() {
			s, err := f.login(t, own, client.Credentials{Account: account})
			if err != nil {
				t.Error(err)
				return
			}
			s.Close()
		})
	}
	all.Wait()
	if f.revoked || f.byToken != 8 {
		t.Errorf("revoked %t, %d by token", f.revoked, f.byToken)
	}
}

// Who holds the token too long does not keep others from their password.
func TestToken_HeldByAnother(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, o, dir := onDisk(t)
		unlock, err := client.NewFileTokens(dir).Lock(t.Context(), account)
		if err != nil {
			t.Fatal(err)
		}
		if fault := (*client.TokenError)(nil); !errors.As(f.signInAndOut(t, o), &fault) {
			t.Errorf("no fault of the token")
		}
		if s := f.mustLogin(t, o); s.TokenFault() == nil || !strings.Contains(s.TokenFault().Error(), "another program") {
			t.Errorf("its fault is %v", s.TokenFault())
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := client.NewFileTokens(dir).Lock(ctx, account); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("locked twice: %v", err)
		}
		other, err := client.NewFileTokens(dir).Lock(t.Context(), "BEA")
		if err != nil {
			t.Fatal(err)
		}
		other()
		unlock()
	})
}

// A token that is damaged, or whose successor cannot be saved, costs the password and
// no more; without one its fault is the error.
func TestToken_AFaultFallsBackToThePassword(t *testing.T) {
	damage := map[string]func(t *testing.T, store *memory, o *client.Options){
		"damaged": func(t *testing.T, _ *memory, o *client.Options) {
			dir := t.TempDir()
			store := client.NewFileTokens(dir)
			if err := store.Save(account, client.Token{}); err != nil {
				t.Fatal(err)
			}
			entries, _ := os.ReadDir(dir)
			if err := os.WriteFile(filepath.Join(dir, entries[0].Name()), []byte("{"), 0o600); err != nil {
				t.Fatal(err)
			}
			o.Tokens = store
		},
		"unwritable": func(_ *testing.T, store *memory, _ *client.Options) {
			store.fail = func(int) (bool, error) { return true, errDisk }
		},
	}
	for name, damage := range damage {
		bubble(t, name, func(t *testing.T) {
			store := newMemory()
			f, o := remembered(t, store)
			damage(t, store, &o)
			o.Remember = false
			fault := (*client.TokenError)(nil)
			if err := f.signInAndOut(t, o); !errors.As(err, &fault) || errors.Is(err, client.ErrNoCredentials) {
				t.Errorf("without a password: %v", err)
			}
			s := f.mustLogin(t, o)
			if !errors.As(s.TokenFault(), &fault) || f.byToken != 0 {
				t.Errorf("its fault is %v", s.TokenFault())
			}
			_, err := f.login(t, o, client.Credentials{Account: account, Password: "wrong"})
			if wantErr(t, err, client.ErrBadCredentials); !errors.As(err, &fault) {
				t.Errorf("nothing is said of the token: %v", err)
			}
		})
	}
}

// Where nothing can be stored the server is not asked.
func TestSession_RememberProbesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		file := filepath.Join(t.TempDir(), "file")
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		f := newFake()
		o := f.options()
		o.Tokens = client.NewFileTokens(filepath.Join(file, "below"))
		s := f.mustLogin(t, o)
		path := (*fs.PathError)(nil)
		if err := s.Remember(t.Context()); !errors.As(err, &path) || len(f.asked) != 0 {
			t.Errorf("got %v, asked %v", err, f.asked)
		}
	})
}

func TestFileTokens_ProbeLeavesNothing(t *testing.T) {
	dir := t.TempDir()
	store := client.NewFileTokens(dir)
	if err := store.Probe(account); err != nil {
		t.Fatal(err)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 0 {
		t.Fatalf("left %v", entries)
	}
	if err := store.Save(account, client.Token{}); err != nil {
		t.Fatal(err)
	}
	entries, _ := os.ReadDir(dir)
	path := filepath.Join(dir, entries[0].Name())
	if err := errors.Join(os.Remove(path), os.Mkdir(path, 0o700)); err != nil {
		t.Fatal(err)
	}
	if err := store.Probe(account); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a folder in its place: %v", err)
	}
	if err := store.Save(account, client.Token{}); err == nil {
		t.Error("saved over a folder")
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("left %v", entries)
	}
}
