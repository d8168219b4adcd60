package accounts

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"gatepass/auth/srp6"
	"gatepass/storage"
)

// column identifies a column of an import file.
type column uint8

const (
	columnUsername column = iota
	columnPassword
	columnSalt
	columnVerifier
	columnS
	columnV
	columnShaPassHash
	columnPIN
	columnTOTP
	columnToken
	columnSecurity
	columnCreated
	columnLastLogin
	columnLastAddress
	columnFailed
	columnBanSince
	columnBanUntil
	columnBanBy
	columnBanReason
	columnBanActive
	columnUnbanned
	columnIP
	columnLocked
	columnLockedIP
	columnLockCountry
	columnMute
	columnAccess
	columnEmail
	columnCount
	// columnUnneeded is a column of a known database that gatepass does not need.
	columnUnneeded
	// columnIgnored is any other column.
	columnIgnored
)

// columnNames returns the names of a column in lower case: gatepass's own first, then
// those of the databases of CMaNGOS, VMaNGOS, TrinityCore and AzerothCore.
func columnNames(c column) []string {
	return [...][]string{
		columnUsername: {"username"}, columnPassword: {"password"}, columnSalt: {"salt"}, columnVerifier: {"verifier"},
		columnS: {"s"}, columnV: {"v"}, columnShaPassHash: {"sha_pass_hash"},
		columnPIN: {"pin"}, columnTOTP: {"totp_secret"}, columnToken: {"token"}, columnSecurity: {"security"},
		columnCreated: {"created", "joindate"}, columnLastLogin: {"last_login"}, columnLastAddress: {"last_address", "last_ip"},
		columnFailed:   {"failed", "failed_logins"},
		columnBanSince: {"bandate", "banned_at"}, columnBanUntil: {"unbandate", "expires_at"}, columnBanBy: {"bannedby", "banned_by"},
		columnBanReason: {"banreason", "reason"}, columnBanActive: {"active"}, columnUnbanned: {"unbanned_at"}, columnIP: {"ip"},
		columnLocked: {"locked"}, columnLockedIP: {"lockedip"}, columnLockCountry: {"lock_country"}, columnMute: {"mutetime"},
		columnAccess: {"gmlevel", "securitylevel"}, columnEmail: {"email"},
	}[c]
}

// unneeded reports whether a column of those databases has nothing that gatepass keeps.
func unneeded(name string) bool {
	return slices.Contains([]string{
		"id", "account_id", "accountid", "banid", "sessionkey", "session_key", "session_key_auth", "session_key_bnet", "expansion", "locale", "os", "platform",
		"online", "flags", "recruiter", "totaltime", "timezone_offset", "active_realm_id", "current_realm", "last_attempt_ip", "last_module",
		"module_day", "battlenet_account", "battlenet_index", "reg_mail", "muteby", "mutereason", "email_verif", "email_check", "pass_verif",
		"geolock_pin", "realmid", "realm", "comment", "unbanned_by", "last_local_ip", "last_pwd_reset", "raf", "loginipaddress",
	}, name)
}

func columnOf(name string) column {
	name = strings.ToLower(strings.TrimSpace(name))
	for c := range columnCount {
		if slices.Contains(columnNames(c), name) {
			return c
		}
	}
	if unneeded(name) {
		return columnUnneeded
	}
	return columnIgnored
}

// fields are the columns of one row. A missing column or a NULL is empty.
type fields [columnCount]string

// Errors of rows. None contains a value of the row.
var (
	errNoSecret = errors.New("neither a password nor a verifier (password, salt and verifier, s and v, or sha_pass_hash): nobody could log in")
	errHalfPair = errors.New("salt and verifier, or s and v, belong together and one of them is empty")
	errNullText = &FieldError{Field: "password", Problem: `is the text NULL or \N, which databases write where there is none; if it is meant, set it with 'gatepass account passwd'`}
)

// draft is a parsed row: a banned range, a ban of an existing account, or an account
// whose verifiers may still have to be computed.
type draft struct {
	account storage.Account
	devices []storage.Device
	// asStored: absent fields of the account stay absent, because the row is from an
	// export that declares itself complete.
	asStored bool
	// address is set for a banned range. Such a row has no account.
	address *storage.AddressBan
	// banOnly: the row bans an existing account and adds none.
	banOnly bool
	// empty: the row changes nothing, for example because its ban has expired.
	empty bool
	// The verifier is computed from password, or from hash if password is empty. Both
	// are empty if the row contains a verifier.
	password string
	hash     *[20]byte
	// order is the evidence for the byte order; left is the data that gatepass drops.
	order pairSeen
	left  leftSet
}

// rules are the settings for reading the rows of a file.
type rules struct {
	// now is in Unix seconds.
	now   int64
	order ByteOrder
}

// secret sets the verifier of a row from the first of these that the row has: the
// password, the Trinity pair, the mangos pair, the mangos hash.
//
// mangos writes "0" or an empty text if s and v have yet to be computed. It computes
// them from the hash if one of them is not 64 digits long. secret therefore prefers the
// hash in that case. Without a hash, it pads a short number.
func (d *draft) secret(f *fields, r *rules) (err error) {
	s, v := mangosPair(f[columnS], f[columnV])
	salt, verifier, hash := f[columnSalt], f[columnVerifier], f[columnShaPassHash]
	switch {
	case f[columnPassword] != "":
		if d.password = f[columnPassword]; isNull(d.password) {
			return errNullText
		}
		return CheckPassword(d.password)
	case salt != "" && verifier != "":
		d.account.Grunt, d.order, err = parsePair(pair{salt, verifier, "salt", "verifier"}, r.order == OrderReversed)
		return err
	case len(s) == 64 && len(v) == 64, s != "" && v != "" && hash == "":
		d.account.Grunt, d.order, err = parsePair(pair{s, v, "s", "v"}, r.order != OrderReversed)
		return err
	case hash != "":
		d.hash = new([20]byte)
		if !decodeFixed(d.hash[:], hash) {
			return &FieldError{Field: "sha_pass_hash", Problem: "is not 40 hex digits", cause: errHashHex}
		}
		return nil
	case (salt == "") != (verifier == "") || s != v:
		return errHalfPair
	case len(d.account.Others) > 0, d.asStored:
		return nil
	}
	return errNoSecret
}

// finish computes the missing verifiers. This is the expensive part of an import. A
// hash gives a grunt verifier only.
func (d *draft) finish(v *verifiers, s *salts) {
	switch {
	case d.password != "":
		v.make(&d.account, s, d.password)
	case d.hash != nil:
		salt := srp6.NewSalt(&s.grunt)
		d.account.Grunt = storage.GruntVerifier{Set: true, Salt: salt, Verifier: srp6.NewVerifierFromHash(&salt, d.hash)}
	}
	d.password, d.hash = "", nil
}

// mangosPair returns empty texts if both numbers are zero, because mangos writes that
// for "none". If only one is zero, it is a normal number.
func mangosPair(s, v string) (string, string) {
	if strings.Trim(s, "0") == "" && strings.Trim(v, "0") == "" {
		return "", ""
	}
	return s, v
}

// tableKind is what the rows of a table hold.
type tableKind uint8

const (
	kindAccounts tableKind = iota
	kindAccountBans
	kindAddressBans
)

// kindOfTable returns the kind for the given columns, or an error that says what is
// missing.
func kindOfTable(columns []column) (tableKind, error) {
	has := func(c column) bool { return slices.Contains(columns, c) }
	secret := has(columnPassword) || has(columnSalt) || has(columnVerifier) || has(columnS) || has(columnV) || has(columnShaPassHash)
	bans := has(columnBanSince) || has(columnBanUntil)
	switch {
	case has(columnUsername) && secret:
		return kindAccounts, nil
	case has(columnUsername) && has(columnBanUntil):
		return kindAccountBans, nil
	case has(columnUsername):
		return 0, fmt.Errorf("no column holds a password or a verifier; %w", errHeader)
	case has(columnIP) && has(columnBanUntil):
		return kindAddressBans, nil
	case bans:
		return 0, errors.New("the file has bans and no names; export it with the names, for instance SELECT a.username, b.* FROM account_banned b JOIN account a ON a.id = b.id (b.account_id for CMaNGOS)")
	case has(columnAccess):
		return 0, errors.New("the file has access levels, which gatepass does not keep: worlds do")
	}
	return 0, errHeader
}

// inQuotes refuses a name that is still inside quotes. The password of the row would
// also keep such quotes, and would then be wrong.
func inQuotes(name string) error {
	last := len(name) - 1
	if last < 1 || name[0] != name[last] || name[0] != '\'' && name[0] != '"' {
		return nil
	}
	return &FieldError{Field: "username", Problem: "stands in quotes that are no part of the format of this file; give double quotes around fields, with --quotes on, or none"}
}

// draft parses one row of a table.
func (f *fields) draft(kind tableKind, r *rules) (d draft, err error) {
	if kind == kindAddressBans {
		return f.addressBan(r)
	}
	if f[columnUsername] == "" {
		return d, &FieldError{Field: "username", Problem: "is empty or NULL"}
	}
	if d.account.Name, err = ParseName(f[columnUsername]); err != nil {
		return d, err
	}
	// A verifier has no quotes of its own, so quotes in that row belong to the name.
	verifier := f[columnVerifier] != "" || f[columnV] != "" || f[columnShaPassHash] != ""
	if err := inQuotes(f[columnUsername]); err != nil && !verifier {
		return d, err
	}
	if kind == kindAccounts {
		if err := d.secret(f, r); err != nil {
			return d, err
		}
		if err := d.factors(f); err != nil {
			return d, err
		}
		d.past(f, r)
		d.leave(f, r)
	}
	d.banOnly = kind == kindAccountBans
	d.account.Ban, err = f.ban(&d, r)
	d.empty = d.banOnly && !d.account.Ban.Set
	return d, err
}
