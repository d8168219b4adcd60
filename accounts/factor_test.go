package accounts

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"

	"gatepass/auth"
	"gatepass/storage"
)

func TestManager_Factors_AreSetOneByOneAndClearedTogether(t *testing.T) {
	m := newTestManager(t)
	ctx := t.Context()
	if _, err := m.SetPIN(ctx, "ALICE", "1234"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("no account: %v", err)
	}
	if err := m.Add(ctx, "ALICE", "x"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.SetPIN(ctx, "alice", "0123"); err != nil {
		t.Fatal(err)
	}
	first, _, err := m.SetTOTP(ctx, "alice")
	if err != nil {
		t.Fatal(err)
	}
	if a := mustShow(t, m, "ALICE"); a.PIN != "0123" || string(a.TOTPSecret) != string(first.raw[:]) || !opens(a, "x") {
		t.Error("not both factors are set, or the password is another")
	}
	second, _, err := m.SetTOTP(ctx, "alice")
	if err != nil || second.raw == first.raw {
		t.Errorf("the second secret is the first, or %v", err)
	}
	if err := m.SetPassword(ctx, "alice", "y"); err != nil {
		t.Fatal(err)
	}
	if a := mustShow(t, m, "ALICE"); a.PIN != "0123" || string(a.TOTPSecret) != string(second.raw[:]) {
		t.Error("a new password changed the factors")
	}
	if err := m.ClearFactors(ctx, "alice"); err != nil {
		t.Fatal(err)
	}
	if a := mustShow(t, m, "ALICE"); a.PIN != "" || len(a.TOTPSecret) != 0 || !opens(a, "y") {
		t.Error("a factor is left, or the password is another")
	}
}

func TestManager_SetPIN_RefusesWhatNoPadCanType(t *testing.T) {
	m := newTestManager(t)
	if err := m.Add(t.Context(), "ALICE", "x"); err != nil {
		t.Fatal(err)
	}
	for _, pin := range []string{"", "123", "12345678901", "12a4", "-1234", "１２３４"} {
		var field *FieldError
		_, err := m.SetPIN(t.Context(), "ALICE", pin)
		if !errors.As(err, &field) || field.Field != "pin" || pin != "" && strings.Contains(err.Error(), pin) {
			t.Errorf("%q: %v", pin, err)
		}
	}
}

func TestTOTPSecret_IsWhatAuthenticatorsRead(t *testing.T) {
	name, err := ParseName("A B/?&C")
	if err != nil {
		t.Fatal(err)
	}
	secret := TOTPSecret{name: name, raw: [20]byte{1, 2, 3}}
	u, err := url.Parse(secret.URI())
	if err != nil || u.Scheme != "otpauth" || u.Host != "totp" || u.Path != "/gatepass:A B/?&C" || u.Query().Get("issuer") != "gatepass" {
		t.Errorf("%v, %v", u, err)
	}
	for _, text := range []string{u.Query().Get("secret"), secret.Base32()} {
		if raw, err := auth.ParseTOTPSecret(text); err != nil || string(raw) != string(secret.raw[:]) {
			t.Errorf("%q reads as %x, %v", text, raw, err)
		}
	}
	if text := fmt.Sprintf("%v %s", secret, secret); strings.Contains(text, secret.Base32()) {
		t.Errorf("formatted it shows itself: %s", text)
	}
}
