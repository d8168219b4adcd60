package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"gatepass/auth"
	native "gatepass/client"
)

// typing are credentials of a player who types that code, and what was asked for.
func typing(account, code string) (native.Credentials, *[]native.Factor) {
	asked := new([]native.Factor)
	return native.Credentials{Account: account, Password: "secret", Code: func(_ context.Context, f native.Factor) (string, error) {
		*asked = append(*asked, f)
		return code, nil
	}}, asked
}

// authenticator makes an account with one, and returns what shows its codes.
func (g *gatepass) authenticator(account string) auth.TOTPSecret {
	g.t.Helper()
	g.addNative(account, "secret")
	_, text, _ := strings.Cut(g.account("", "factor", "--totp", account), "secret  ")
	text, _, _ = strings.Cut(text, "\n")
	secret, err := auth.ParseTOTPSecret(text)
	must(g.t, err)
	return secret
}

// TestNative_Code: an account with an authenticator wants its code behind the right
// password, and each code once.
func TestNative_Code(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	secret := g.authenticator("ana")
	try := func(code string) error {
		t.Helper()
		who, asked := typing("ana", code)
		s, err := signIn(t, g.said["native"], who, guestOptions())
		if len(*asked) != 1 || (*asked)[0] != native.FactorTOTP {
			t.Errorf("asked for %v", *asked)
		}
		if err == nil {
			must(t, s.Close())
		}
		return err
	}
	step := auth.TOTPStep(time.Now())
	wrong := []byte(secret.Code(step + 1000))
	if err := try(string(wrong)); !errors.Is(err, native.ErrBadCredentials) {
		t.Errorf("a wrong code: %v", err)
	}
	must(t, try(secret.Code(step)))
	if err := try(secret.Code(step)); !errors.Is(err, native.ErrBadCredentials) {
		t.Errorf("a code that was used: %v", err)
	}
	must(t, try(secret.Code(step+1))) // the player's clock is ahead
	if err := try(secret.Code(step)); !errors.Is(err, native.ErrBadCredentials) {
		t.Errorf("a code from before the one that was used last: %v", err)
	}
	if _, err := signIn(t, g.said["native"], native.Credentials{Account: "ana", Password: "secret"}, guestOptions()); !errors.Is(err, native.ErrNoCode) {
		t.Errorf("without a code: %v", err)
	}
	// Nobody learns that there is one without the password.
	who, asked := typing("ana", "000000")
	who.Password = "wrong"
	mustNotSignIn(t, g.said["native"], who, guestOptions())
	if len(*asked) != 0 {
		t.Error("a code was asked for behind a wrong password")
	}
}

// TestNative_PIN: the same with a PIN, which is good again; a remembered device is
// not asked.
func TestNative_PIN(t *testing.T) {
	t.Parallel()
	g := start(t, setup{})
	g.addNative("ana", "secret")
	g.account("0417\n", "factor", "--pin-stdin", "ana")
	for _, code := range []string{"0418", "417", "04170"} {
		who, _ := typing("ana", code)
		mustNotSignIn(t, g.said["native"], who, guestOptions())
	}
	o := remembering(t.TempDir())
	for range 2 {
		who, asked := typing("ana", "0417")
		_, err := signIn(t, g.said["native"], who, o)
		must(t, err)
		if len(*asked) == 1 && (*asked)[0] != native.FactorPIN {
			t.Errorf("asked for %v", *asked)
		}
	}
	who, asked := typing("ana", "9999")
	who.Password = ""
	_, err := signIn(t, g.said["native"], who, o)
	must(t, err)
	if len(*asked) != 0 {
		t.Error("a remembered device was asked for the PIN")
	}
}
