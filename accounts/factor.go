package accounts

import (
	"context"
	"encoding/base32"
	"fmt"
	"io"
	"net/url"

	"gatepass/storage"
)

// totpSecretSize is the length of a new authenticator secret in bytes. It equals the
// output length of the HMAC, as RFC 4226 (section 4) recommends.
const totpSecretSize = 20

// totpIssuer is what authenticator apps show beside the account's name.
const totpIssuer = "gatepass"

// TOTPSecret is a new authenticator secret. It is shown to the player once.
type TOTPSecret struct {
	name storage.Name
	raw  [totpSecretSize]byte
}

// String returns a fixed word, so that no log shows the secret.
func (TOTPSecret) String() string { return "totp-secret" }

// Base32 returns the secret in the form that people type into an authenticator.
func (s *TOTPSecret) Base32() string { return base32.StdEncoding.EncodeToString(s.raw[:]) }

// URI returns the secret as the text of the QR code that authenticators scan.
func (s *TOTPSecret) URI() string {
	return fmt.Sprintf("otpauth://totp/%s:%s?secret=%s&issuer=%s",
		totpIssuer, url.PathEscape(s.name.String()), s.Base32(), totpIssuer)
}

// SetPIN sets the PIN of an account and keeps its authenticator. It removes the
// account's remembered devices, because they were remembered without the PIN, and
// returns their number.
func (m *Manager) SetPIN(ctx context.Context, name, pin string) (devices int, err error) {
	if err := CheckPIN(pin); err != nil {
		return 0, err
	}
	return m.changeFactors(ctx, name, func(a *storage.Account) { a.PIN = pin })
}

// SetTOTP sets a new authenticator secret, which replaces an older one, and keeps the
// PIN. Like SetPIN it removes the remembered devices and returns their number.
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

// ClearFactors removes the PIN and the authenticator of an account. A login then needs
// only the password. Remembered devices stay.
func (m *Manager) ClearFactors(ctx context.Context, name string) error {
	_, err := m.changeFactors(ctx, name, func(a *storage.Account) { a.PIN, a.TOTPSecret = "", nil })
	return err
}

// changeFactors reads an account's factors, changes them and writes them back. It
// returns how many devices the store removed with the change. If two operators do so at
// the same time, the later write wins.
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
