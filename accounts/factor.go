package accounts

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"net/url"

	"gatepass/storage"
)

// totpSecretSize is the length of a new authenticator secret in bytes: that of
// the HMAC it keys, as RFC 4226 (section 4) recommends.
const totpSecretSize = 20

// totpIssuer is what authenticator apps show beside the account's name.
const totpIssuer = "gatepass"

// TOTPSecret is what an account's authenticator is told, once.
type TOTPSecret struct {
	name storage.Name
	raw  [totpSecretSize]byte
}

// String hides the secret.
func (TOTPSecret) String() string { return "totp-secret" }

// Base32 is the secret as people type it into an authenticator.
func (s *TOTPSecret) Base32() string { return base32.StdEncoding.EncodeToString(s.raw[:]) }

// URI is the secret as authenticators scan it, drawn as a QR code.
func (s *TOTPSecret) URI() string {
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s",
		totpIssuer, url.PathEscape(s.name.String()), s.Base32(), totpIssuer)
}

// SetPIN gives an account a PIN; its authenticator, if it has one, stays.
func (m *Manager) SetPIN(ctx context.Context, name, pin string) error {
	if err := CheckPIN(pin); err != nil {
		return err
	}
	return m.changeFactors(ctx, name, func(a *storage.Account) { a.PIN = pin })
}

// SetTOTP gives an account a new authenticator secret, which replaces an older
// one; its PIN, if it has one, stays.
func (m *Manager) SetTOTP(ctx context.Context, name string) (*TOTPSecret, error) {
	folded, err := ParseName(name)
	if err != nil {
		return nil, err
	}
	secret := &TOTPSecret{name: folded}
	if _, err := io.ReadFull(m.options.Random, secret.raw[:]); err != nil {
		return nil, fmt.Errorf("accounts: no random secret: %w", err)
	}
	return secret, m.changeFactors(ctx, name, func(a *storage.Account) { a.TOTPSecret = secret.raw[:] })
}

// ClearFactors takes an account's PIN and authenticator away: its password is
// enough again.
func (m *Manager) ClearFactors(ctx context.Context, name string) error {
	return m.changeFactors(ctx, name, func(a *storage.Account) { a.PIN, a.TOTPSecret = "", nil })
}

// changeFactors reads an account's factors, changes them and writes them back.
// Of two operators who do so at the same moment the later one wins.
func (m *Manager) changeFactors(ctx context.Context, name string, change func(*storage.Account)) error {
	account, err := m.Show(ctx, name)
	if err != nil {
		return err
	}
	changed := storage.Account{Name: account.Name, PIN: account.PIN, TOTPSecret: account.TOTPSecret}
	change(&changed)
	_, err = m.one(ctx, storage.Op{Kind: storage.OpSetFactors, Name: changed.Name, Account: &changed})
	return aboutAccount(changed.Name, err)
}
