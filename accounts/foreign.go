package accounts

import (
	"encoding/base32"
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"gatepass/storage"
)

// leftOut is a kind of data in a row that gatepass does not keep.
type leftOut uint8

const (
	leftBanOver leftOut = iota
	leftLock
	leftMute
	leftAccess
	leftEmail
	leftTOTP
	leftFactorOff
	leftTime
	leftReason
	leftUpdateBan
	leftUpdateFactor
	leftUpdateRest
	leftCount
)

// String returns the text that follows the number in a summary.
func (l leftOut) String() string {
	return [...]string{
		leftBanOver:      "bans that are over",
		leftLock:         "locks to an address or a country (gatepass has none; ban ranges with 'account ban --address')",
		leftMute:         "mutes (worlds keep those)",
		leftAccess:       "access levels (worlds keep those)",
		leftEmail:        "e-mail addresses",
		leftTOTP:         "authenticator secrets that are encrypted with TOTPMasterSecret; these accounts have none now: 'account factor --totp' makes another",
		leftFactorOff:    "second factors that were switched off",
		leftTime:         "times of creation or last login outside the years 2000 to 2199",
		leftReason:       "ban reasons or names that were cut to 200 bytes of one line",
		leftUpdateBan:    "bans of accounts that are there already (import them from a file of username and ban columns)",
		leftUpdateFactor: "second factors of accounts that are there already ('account factor' sets them)",
		leftUpdateRest:   "devices or character counts of accounts that are there already",
	}[l]
}

// leftSet is the set of kinds that one row leaves out.
type leftSet uint16

func (s *leftSet) add(l leftOut)     { *s |= 1 << l }
func (s leftSet) has(l leftOut) bool { return s&(1<<l) != 0 }

// Bits of the locked column in a VMaNGOS database.
const (
	vmangosPIN  = 2
	vmangosTOTP = 4
)

// factors parses the second factors of all database families.
func (d *draft) factors(f *fields) error {
	locked, _ := strconv.ParseUint(f[columnLocked], 10, 32)
	switch security := f[columnSecurity]; {
	case security == "":
	case locked&vmangosTOTP != 0:
		f[columnToken] = security
	case locked&vmangosPIN != 0:
		f[columnPIN] = security
	case f[columnLocked] != "":
		d.left.add(leftFactorOff)
	default:
		return &FieldError{Field: "security", Problem: "needs the column locked beside it, which says what it is"}
	}
	if pin := f[columnPIN]; pin != "" && pin != "0" {
		if err := CheckPIN(pin); err != nil {
			return err
		}
		d.account.PIN = pin
	}
	if err := d.totp(f[columnTOTP]); err != nil || f[columnToken] == "" {
		return err
	}
	text := strings.ToUpper(strings.NewReplacer(" ", "", "-", "", "=", "").Replace(f[columnToken]))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(secret) == 0 {
		return &FieldError{Field: "token", Problem: "is no authenticator secret in base32"}
	}
	d.account.TOTPSecret = secret
	return nil
}

// maxPlainTOTP is the longest authenticator secret, in bytes, that counts as
// unencrypted. TrinityCore makes secrets of 20 bytes, and encryption adds 24 bytes.
const maxPlainTOTP = 36

// totp parses the secret of TrinityCore and AzerothCore: raw bytes or hex.
func (d *draft) totp(text string) error {
	if text == "" {
		return nil
	}
	secret, err := hex.DecodeString(trimHexPrefix(text))
	if err != nil {
		if printable(text) {
			return &FieldError{Field: "totp_secret", Problem: "is not hex digits; export it with HEX(totp_secret) AS totp_secret"}
		}
		secret = []byte(text)
	}
	if len(secret) > maxPlainTOTP {
		d.left.add(leftTOTP)
		return nil
	}
	if len(secret) > 0 {
		d.account.TOTPSecret = secret
	}
	return nil
}

// past parses the history of an account, such as its creation time. It drops an
// impossible time instead of refusing the account.
func (d *draft) past(f *fields, r *rules) {
	for c, field := range map[column]*int64{columnCreated: &d.account.Created, columnLastLogin: &d.account.Login.LastLogin} {
		at, ok := parseMoment(f[c])
		if !ok || CheckTime("", at) != nil {
			d.left.add(leftTime)
			continue
		}
		*field = at
	}
	if addr, err := netip.ParseAddr(f[columnLastAddress]); err == nil && !addr.IsUnspecified() && d.account.Login.LastLogin != 0 {
		d.account.Login.LastAddr = addr.Unmap().WithZone("")
	}
	if failed, err := strconv.ParseUint(f[columnFailed], 10, 32); err == nil {
		d.account.Login.Failed = uint32(failed)
	}
}

// leave records what the row has and gatepass does not keep.
func (d *draft) leave(f *fields, r *rules) {
	locked, _ := strconv.ParseUint(f[columnLocked], 10, 32)
	if f[columnSecurity] != "" {
		locked &^= vmangosPIN | vmangosTOTP
	}
	country := f[columnLockCountry]
	if locked != 0 || country != "" && country != "00" || f[columnLocked] == "" && f[columnLockedIP] != "" && f[columnLockedIP] != "0.0.0.0" {
		d.left.add(leftLock)
	}
	if mute, err := strconv.ParseInt(f[columnMute], 10, 64); err == nil && (mute < 0 || mute > r.now) {
		d.left.add(leftMute)
	}
	if level := f[columnAccess]; level != "" && level != "0" {
		d.left.add(leftAccess)
	}
	if f[columnEmail] != "" {
		d.left.add(leftEmail)
	}
}

// ban parses the ban of a row by the rule of all database families. A ban applies if it
// is active and its end is in the future. A ban that ends when it begins has no end.
func (f *fields) ban(d *draft, r *rules) (storage.Ban, error) {
	if f[columnBanUntil] == "" && f[columnBanSince] == "" {
		return storage.Ban{}, nil
	}
	since, ok := parseMoment(f[columnBanSince])
	if !ok || CheckTime("", since) != nil {
		return storage.Ban{}, banTimeError("bandate")
	}
	until, ok := parseMoment(f[columnBanUntil])
	if !ok || CheckTime("", until) != nil {
		return storage.Ban{}, banTimeError("unbandate")
	}
	over := until <= r.now && until != since || until == 0
	active := f[columnBanActive]
	if lifted, _ := parseMoment(f[columnUnbanned]); over || active == "0" || lifted != 0 {
		d.left.add(leftBanOver)
		return storage.Ban{}, nil
	}
	ban := storage.Ban{Set: true, Since: since, Until: until, Reason: d.oneLine(f[columnBanReason]), By: d.oneLine(f[columnBanBy])}
	if until == since {
		ban.Until = 0
	}
	return ban, nil
}

func banTimeError(column string) error {
	return &FieldError{Field: column, Problem: "is no time between 2000 and 2199; a ban for good has the same time in both columns, bandate and unbandate"}
}

// oneLine converts the text of a database to one line that Ban accepts.
func (d *draft) oneLine(text string) string {
	clean := strings.Map(func(r rune) rune {
		switch {
		case r == utf8.RuneError:
			return '?'
		case r < ' ' || r == 0x7f:
			return ' '
		}
		return r
	}, text)
	for len(clean) > MaxReason {
		_, size := utf8.DecodeLastRuneInString(clean)
		clean = clean[:len(clean)-size]
	}
	if clean != text {
		d.left.add(leftReason)
	}
	return clean
}

func (f *fields) addressBan(r *rules) (d draft, err error) {
	prefix, err := ParsePrefix(f[columnIP])
	if err != nil {
		return d, &FieldError{Field: "ip", Problem: "is no address or range", cause: err}
	}
	ban, err := f.ban(&d, r)
	d.address = &storage.AddressBan{Prefix: prefix, Ban: ban}
	d.empty = !ban.Set
	return d, err
}

// parseMoment parses a time of a database: Unix seconds, a timestamp (read as UTC), or
// RFC 3339. It returns 0 for an empty text, for 0 and for the zero date.
func parseMoment(text string) (seconds int64, ok bool) {
	if strings.Trim(text, "0-:. ") == "" {
		return 0, true
	}
	if n, err := strconv.ParseInt(text, 10, 64); err == nil {
		return n, true
	}
	for _, layout := range []string{time.RFC3339, time.DateTime, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t.Unix(), t.Unix() != 0
		}
	}
	return 0, false
}
