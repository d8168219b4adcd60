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

// SetPIN gives an account a PIN; its authenticator, if it has one, stays. It makes
// the account forget its devices, for they were remembered without the PIN, and tells
// how many there were.
func (m *Manager) SetPIN(ctx context.Context, name, pin string) (devices int, err error) {
	if err := CheckPIN(pin); err != nil {
		return 0, err
	}
	return m.changeFactors(ctx, name, func(a *storage.Account) { a.PIN = pin })
}

// SetTOTP gives an account a new authenticator secret, which replaces an older
// one; its PIN, if it has one, stays. It makes the account forget its devices, as
// SetPIN does, and tells how many there were.
func (m *Manager) SetTOTP(ctx context.Context, name string) (secret *TOTPSecret, devices int, err error) {
	folded, err := ParseName(name)
	if err != nil {
		return nil, 0, err
	}
	secret = &TOTPSecret{name: folded}
	if _, err := io.ReadFull(m.options.Random, secret.raw[:]); err != nil {
		return nil, 0, fmt.Errorf("accounts: no random secret: %w", err)
	}
	devices, err = m.changeFactors(ctx, name, func(a *storage.Account) { a.TOTPSecret = secret.raw[:] })
	return secret, devices, err
}

// ClearFactors takes an account's PIN and authenticator away: its password is
// enough again. Devices stay remembered.
func (m *Manager) ClearFactors(ctx context.Context, name string) error {
	_, err := m.changeFactors(ctx, name, func(a *storage.Account) { a.PIN, a.TOTPSecret = "", nil })
	return err
}

// changeFactors reads an account's factors, changes them and writes them back, and
// returns how many devices the account had that the store has removed with the change.
// Of two operators who do so at the same moment the later one wins.
func (m *Manager) changeFactors(ctx context.Context, name string, change func(*storage.Account)) (forgotten int, err error) {
	account, err := m.Show(ctx, name)
	if err != nil {
		return 0, err
	}
	changed := storage.Account{Name: account.Name, PIN: account.PIN, TOTPSecret: account.TOTPSecret}
	change(&changed)
	var devices []storage.Device
	if changed.PIN != "" || len(changed.TOTPSecret) != 0 {
		if devices, err = m.Devices(ctx, name); err != nil {
			return 0, err
		}
	}
	_, err = m.one(ctx, storage.Op{Kind: storage.OpSetFactors, Name: changed.Name, Account: &changed})
	return len(devices), aboutAccount(changed.Name, err)
}
