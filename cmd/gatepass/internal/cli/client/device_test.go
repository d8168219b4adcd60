package client

import (
	"errors"
	"strings"
	"testing"

	"gatepass/client"
)

// After a typing error the player is asked again, three times in total, and only for
// the wrong value.
func TestSignInAsking(t *testing.T) {
	for _, c := range []struct {
		typed []string
		want  string
		err   error
		again int
	}{
		{typed: []string{"right"}, want: "right"},
		{typed: []string{"wrong", "right"}, want: "right", again: 1},
		{typed: []string{"wrong", "wrong", "right"}, want: "right", again: 2},
		{typed: []string{"wrong", "wrong", "wrong", "right"}, err: client.ErrBadCredentials, again: 2},
		{typed: []string{"banned", "right"}, err: client.ErrBanned},
		{typed: []string{"wrong", ""}, err: errEmpty, again: 1},
	} {
		asked, again := 0, 0
		ask := func() (string, error) {
			asked++
			if c.typed[asked-1] == "" {
				return "", errEmpty
			}
			return c.typed[asked-1], nil
		}
		login := func(password string) (string, error) {
			switch password {
			case "wrong":
				return "", client.ErrBadCredentials
			case "banned":
				return "", client.ErrBanned
			}
			return password, nil
		}
		got, err := signInAsking(ask, login, func(error) { again++ })
		if got != c.want || !errors.Is(err, c.err) || again != c.again {
			t.Errorf("%v: %q, %v, told %d times", c.typed, got, err, again)
		}
	}
}

// A connection lost before the sign-in can mean a wrong port; later it does not.
func TestVisit_HintsAtThePort(t *testing.T) {
	cmd := Command()
	v := newVisit(cmd, &settings{address: "h:3724", build: 1})
	v.events = nil
	if err := v.fail(client.ErrTimeout); !strings.Contains(err.Error(), "is h:3724 the port of the native protocol? It is 3725 by default") {
		t.Error(err)
	}
	if v.codes.signedIn(); strings.Contains(v.fail(client.ErrTimeout).Error(), "3725") {
		t.Error("hinted at while signed in")
	}
}
