package accounts

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"
	"net/netip"
	"slices"
	"time"

	"gatepass/storage"
)

// errOther: a verifier of another protocol is not hex.
var errOther = errors.New("others: give each verifier as hex digits")

// record is an account as JSON: a line of an NDJSON file and an account on the
// control socket. Of the verifier columns either salt and verifier or s and v
// are filled.
type record struct {
	Username   string            `json:"username"`
	Created    stamp             `json:"created,omitzero"`
	Salt       string            `json:"salt,omitempty"`
	Verifier   string            `json:"verifier,omitempty"`
	S          string            `json:"s,omitempty"`
	V          string            `json:"v,omitempty"`
	Others     map[string]string `json:"others,omitempty"`
	PIN        string            `json:"pin,omitempty"`
	TOTPSecret string            `json:"totp_secret,omitempty"`
	Ban        *banRecord        `json:"ban,omitempty"`
	loginRecord
}

type banRecord struct {
	Since stamp `json:"since,omitzero"`
	// Until is absent for a ban for good.
	Until  stamp  `json:"until,omitzero"`
	Reason string `json:"reason,omitempty"`
	By     string `json:"by,omitempty"`
}

type loginRecord struct {
	LastLogin  stamp      `json:"last_login,omitzero"`
	LastAddr   netip.Addr `json:"last_address,omitzero"`
	LastFailed stamp      `json:"last_failed,omitzero"`
	Failed     uint32     `json:"failed,omitempty"`
}

// stamp is Unix seconds, written as RFC 3339 in UTC; 0 is never.
type stamp int64

// MarshalText writes RFC 3339. It never fails, whatever was stored.
func (s stamp) MarshalText() ([]byte, error) {
	return time.Unix(int64(s), 0).UTC().AppendFormat(nil, time.RFC3339), nil
}

// UnmarshalText reads RFC 3339.
func (s *stamp) UnmarshalText(text []byte) error {
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return err
	}
	*s = stamp(t.Unix())
	return nil
}

func newRecord(a *storage.Account, columns Columns) record {
	r := record{
		Username: a.Name.String(), Created: stamp(a.Created), PIN: a.PIN,
		TOTPSecret: hex.EncodeToString(a.TOTPSecret), Ban: newBanRecord(&a.Ban), loginRecord: newLoginRecord(&a.Login),
	}
	switch {
	case !a.Grunt.Set:
	case columns == ColumnsMangos:
		r.S, r.V = mangosHex(a.Grunt.Salt), mangosHex(a.Grunt.Verifier)
	default:
		r.Salt, r.Verifier = trinityHex(a.Grunt.Salt), trinityHex(a.Grunt.Verifier)
	}
	if len(a.Others) > 0 {
		r.Others = make(map[string]string, len(a.Others))
		for protocol, verifier := range a.Others {
			r.Others[protocol] = hex.EncodeToString(verifier)
		}
	}
	return r
}

// account checks everything but the grunt verifier, which stays for the caller:
// files know more ways to give it than the socket.
func (r *record) account() (storage.Account, error) {
	name, err := ParseName(r.Username)
	if err != nil {
		return storage.Account{}, err
	}
	if r.PIN != "" {
		if err := CheckPIN(r.PIN); err != nil {
			return storage.Account{}, err
		}
	}
	a := storage.Account{Name: name, Created: int64(r.Created), PIN: r.PIN, Login: r.login()}
	if a.Ban, err = r.Ban.ban(); err != nil {
		return storage.Account{}, err
	}
	if r.TOTPSecret != "" {
		if a.TOTPSecret, err = hex.DecodeString(r.TOTPSecret); err != nil {
			return storage.Account{}, &FieldError{Field: "totp_secret", Problem: "give hex digits"}
		}
	}
	if len(r.Others) > 0 {
		a.Others = make(map[string][]byte, len(r.Others))
	}
	for protocol, digits := range r.Others {
		verifier, err := hex.DecodeString(digits)
		if err != nil {
			return storage.Account{}, errOther
		}
		a.Others[protocol] = verifier
	}
	return a, nil
}

func newBanRecord(b *storage.Ban) *banRecord {
	if !b.Set {
		return nil
	}
	return &banRecord{Since: stamp(b.Since), Until: stamp(b.Until), Reason: b.Reason, By: b.By}
}

// ban of a nil record is none.
func (r *banRecord) ban() (storage.Ban, error) {
	if r == nil {
		return storage.Ban{}, nil
	}
	if err := errors.Join(checkReason("reason", r.Reason), checkReason("by", r.By)); err != nil {
		return storage.Ban{}, err
	}
	return storage.Ban{Set: true, Since: int64(r.Since), Until: int64(r.Until), Reason: r.Reason, By: r.By}, nil
}

func newLoginRecord(l *storage.LoginRecord) loginRecord {
	return loginRecord{stamp(l.LastLogin), l.LastAddr, stamp(l.LastFailed), l.Failed}
}

func (r *loginRecord) login() storage.LoginRecord {
	return storage.LoginRecord{LastLogin: int64(r.LastLogin), LastAddr: r.LastAddr, LastFailed: int64(r.LastFailed), Failed: r.Failed}
}

// Summary is an account as people may see it: JSON without a secret.
type Summary struct {
	Username string `json:"username"`
	Created  stamp  `json:"created,omitzero"`
	// Protocols names the protocols that this account can log in with.
	Protocols []string `json:"protocols"`
	// Native is absent without a native verifier, or one that can be read.
	Native *NativeSummary `json:"native,omitempty"`
	PIN    bool           `json:"pin"`
	TOTP   bool           `json:"totp"`
	Banned bool           `json:"banned"`
	Ban    *banRecord     `json:"ban,omitempty"`
	loginRecord
}

// Summarize leaves the secrets out; now (Unix seconds) decides Banned.
func Summarize(a *storage.Account, now int64) Summary {
	s := Summary{
		Username: a.Name.String(), Created: stamp(a.Created), Protocols: protocols(a), Native: summarizeNative(a), PIN: a.PIN != "",
		TOTP: len(a.TOTPSecret) > 0, Banned: a.Ban.Active(now), Ban: newBanRecord(&a.Ban), loginRecord: newLoginRecord(&a.Login),
	}
	return s
}

// BanSummary is a banned address range as JSON.
type BanSummary struct {
	Address netip.Prefix `json:"address"`
	Banned  bool         `json:"banned"`
	*banRecord
}

// SummarizeBan decides Banned by now (Unix seconds).
func SummarizeBan(b *storage.AddressBan, now int64) BanSummary {
	return BanSummary{Address: b.Prefix, Banned: b.Ban.Active(now), banRecord: newBanRecord(&b.Ban)}
}

func protocols(a *storage.Account) []string {
	names := make([]string, 0, 1+len(a.Others))
	if a.Grunt.Set {
		names = append(names, ProtocolGrunt)
	}
	names = slices.AppendSeq(names, maps.Keys(a.Others))
	slices.Sort(names)
	return names
}

// appendLine writes v and a newline behind b. The types of this package always
// marshal; anything else is our own bug.
func appendLine(b []byte, v any) []byte {
	line, err := json.Marshal(v)
	if err != nil {
		panic("accounts: " + err.Error())
	}
	return append(append(b, line...), '\n')
}
