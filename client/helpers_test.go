package client_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"gatepass/client"
)

// options are those of a client of the fake.
func (f *fake) options() client.Options { return client.Options{Build: 7, Dialer: f} }

func credentials() client.Credentials {
	return client.Credentials{Account: "Ana", Password: password}
}

// login dials and signs in with what there is.
func (f *fake) login(t testing.TB, o client.Options, who client.Credentials) (*client.Session, error) {
	return f.loginWithin(t, t.Context(), o, who)
}

func (f *fake) loginWithin(t testing.TB, ctx context.Context, o client.Options, who client.Credentials) (*client.Session, error) {
	c, err := client.Dial(ctx, "login", o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := c.Login(ctx, who)
	if err == nil {
		t.Cleanup(func() { s.Close() }) // also when the test did not want to get here
	}
	return s, err
}

func (f *fake) mustLogin(t testing.TB, o client.Options) *client.Session {
	t.Helper()
	s, err := f.login(t, o, credentials())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// event waits for the next event of a kind, over those of others.
func event[E client.Event](t testing.TB, s *client.Session) (e E) {
	t.Helper()
	late := time.After(24 * time.Hour)
	for {
		select {
		case ev, open := <-s.Events():
			if !open {
				t.Fatalf("the session ended before %T: %v", e, s.Err())
			}
			if e, ok := ev.(E); ok {
				return e
			}
		case <-late:
			t.Fatalf("never came: %T", e)
		}
	}
}

// ended waits for the session's end, for a day.
func ended(t testing.TB, s *client.Session) {
	t.Helper()
	select {
	case <-s.Done():
	case <-time.After(24 * time.Hour):
		t.Fatal("it does not end")
	}
}

func wantErr(t testing.TB, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("got %v, want %v", err, want)
	}
}
