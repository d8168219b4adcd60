package accounts

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"

	"gatepass/storage"
)

// errOther: a verifier of another protocol is not hex.
var errOther = errors.New("others: give each verifier as hex digits")

// Record is an account as JSON, for a line of an NDJSON file and for an operator's
// command. Of the verifier columns, either salt and verifier or s and v are set.
type Record struct {
	Username   string            `json:"username"`
	Created    stamp             `json:"created,omitzero"`
	Salt       string            `json:"salt,omitempty"`
	Verifier   string            `json:"verifier,omitempty"`
	S          string            `json:"s,omitempty"`
	V          string            `json:"v,omitempty"`
	Others     map[string]string `json:"others,omitempty"`
	PIN        string            `json:"pin,omitempty"`
	TOTPSecret string            `json:"totp_secret,omitempty"`
	Ban        *BanEntry         `json:"ban,omitempty"`
	Characters []worldCount      `json:"characters,omitempty"`
	Devices    []DeviceEntry     `json:"devices,omitempty"`
	loginRecord
}

// worldCount is the number of characters that an account has on one world.
type worldCount struct {
	World uint8 `json:"world"`
	Count uint8 `json:"count"`
}

type banRecord struct {
	Since stamp `json:"since,omitzero"`
	// Until is absent for a ban without an end.
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

func newRecord(a *storage.Account, columns Columns) Record {
	r := Record{
		Username: a.Name.String(), Created: stamp(a.Created), PIN: a.PIN,
		TOTPSecret: hex.EncodeToString(a.TOTPSecret), Ban: NewBanEntry(&a.Ban), loginRecord: newLoginRecord(&a.Login),
	}
	for _, c := range a.Characters {
		r.Characters = append(r.Characters, worldCount{c.World, c.Count})
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

// NewRecord returns the record of an account with its devices and their keys.
func NewRecord(a *storage.Account, devices []storage.Device, columns Columns) Record {
	r := newRecord(a, columns)
	for i := range devices {
		r.Devices = append(r.Devices, NewDeviceEntry(&devices[i]))
	}
	return r
}

// devices parses the devices that NewRecord wrote.
func (r *Record) devices() (devices []storage.Device, err error) {
	if len(r.Devices) > storage.MaxDevices {
		return nil, &FieldError{Field: "devices", Problem: fmt.Sprintf("are %d; an account has at most %d", len(r.Devices), storage.MaxDevices)}
	}
	for i := range r.Devices {
		d, err := r.Devices[i].stored()
		if err != nil {
			return nil, err
		}
		for k := range devices {
			if devices[k].Family == d.Family {
				return nil, &FieldError{Field: "devices", Problem: "two have the same family"}
			}
		}
		devices = append(devices, d)
	}
	return devices, nil
}

// characters parses and checks the counts that newRecord wrote.
func (r *Record) characters() (counts []storage.WorldCount, err error) {
	last := uint8(0)
	for _, c := range r.Characters {
		if c.World <= last || c.Count == 0 {
			return nil, &FieldError{Field: "characters", Problem: "give worlds of 1 to 255 in rising order, each with a count of 1 to 255"}
		}
		counts, last = append(counts, storage.WorldCount{World: c.World, Count: c.Count}), c.World
	}
	return counts, nil
}

// Stored parses a record that NewRecord wrote, with the grunt verifier in the columns
// salt and verifier. It accepts a weak verifier, so that an account that has one can be
// shown. An error is a FieldError or names the column.
func (r *Record) Stored() (storage.Account, error) {
	account, err := r.account()
	if err == nil && r.Salt != "" {
		account.Grunt, err = decodeTrinity(r.Salt, r.Verifier)
	}
	return account, err
}

// Check parses a record that is to be stored. It checks the record as strictly as a row
// of a file, except for times, because an export may contain times of a wrong clock.
func (r *Record) Check() (account storage.Account, devices []storage.Device, err error) {
	if account, err = r.Stored(); err != nil {
		return account, nil, err
	}
	if account.Grunt.Set && weak(&account.Grunt) {
		return account, nil, errWeak
	}
	if err := checkOthers(account.Others); err != nil {
		return account, nil, err
	}
	devices, err = r.devices()
	return account, devices, err
}

// account parses everything except the grunt verifier. The caller parses that, because
// files have more forms of it than commands.
func (r *Record) account() (storage.Account, error) {
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
	if a.Ban, err = r.Ban.Ban(); err != nil {
		return storage.Account{}, err
	}
	if a.Characters, err = r.characters(); err != nil {
		return storage.Account{}, err
	}
	if r.TOTPSecret != "" {
		if a.TOTPSecret, err = hex.DecodeString(r.TOTPSecret); err != nil || len(a.TOTPSecret) > storage.MaxTOTPSecret {
			return storage.Account{}, &FieldError{Field: "totp_secret", Problem: fmt.Sprintf("give at most %d bytes as hex digits", storage.MaxTOTPSecret)}
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

// BanEntry is a ban in a file or in an operator's command. It has either an end or an
// explicit forever. A missing key is an error, so that it cannot cause a ban without an
// end.
type BanEntry struct {
	banRecord
	Forever bool `json:"forever,omitempty"`
}

// NewBanEntry returns the entry of a ban, or nil for no ban.
func NewBanEntry(b *storage.Ban) *BanEntry {
	r := newBanRecord(b)
	if r == nil {
		return nil
	}
	return &BanEntry{*r, b.Until == 0}
}

// UnmarshalJSON parses a ban with either until or forever. Exports of version 1 had no
// forever: in them a ban with since and without until has no end.
func (r *BanEntry) UnmarshalJSON(text []byte) error {
	var raw struct {
		Since   stamp           `json:"since"`
		Until   json.RawMessage `json:"until"`
		Reason  string          `json:"reason"`
		By      string          `json:"by"`
		Forever bool            `json:"forever"`
	}
	err := StrictJSON(text, &raw)
	if errors.Is(err, errWrongKind) {
		return &FieldError{Field: "ban", Problem: `is not of the form {"until": "2027-01-31T18:00:00Z", "reason": "…"}`, cause: err}
	}
	if err != nil {
		return err
	}
	*r = BanEntry{banRecord{Since: raw.Since, Reason: raw.Reason, By: raw.By}, raw.Forever}
	switch {
	case raw.Until == nil && !raw.Forever && raw.Since == 0:
		return &FieldError{Field: "ban", Problem: `says neither until when nor that it is for good; give "until", or "forever": true`}
	case raw.Until != nil && raw.Forever:
		return &FieldError{Field: "ban", Problem: `has both "until" and "forever"; give one`}
	case raw.Until == nil:
		return nil
	}
	// The decoder would ignore a null, and the ban would have no end.
	if len(raw.Until) == 0 || raw.Until[0] != '"' || json.Unmarshal(raw.Until, &r.Until) != nil || r.Until == 0 {
		return &FieldError{Field: "ban.until", Problem: `give a time such as 2027-01-31T18:00:00Z; a ban for good has "forever": true instead`}
	}
	return nil
}

// Ban returns the ban and does not check its times. A nil entry is no ban.
func (r *BanEntry) Ban() (storage.Ban, error) {
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

// Summary is an account as JSON without secrets.
type Summary struct {
	Username string `json:"username"`
	Created  stamp  `json:"created,omitzero"`
	// Protocols names the protocols that this account can log in with.
	Protocols []string `json:"protocols"`
	// Native is absent if there is no native verifier or if it cannot be read.
	Native *NativeSummary `json:"native,omitempty"`
	PIN    bool           `json:"pin"`
	TOTP   bool           `json:"totp"`
	Banned bool           `json:"banned"`
	Ban    *banRecord     `json:"ban,omitempty"`
	loginRecord
}

// Summarize returns the account without secrets. now (Unix seconds) decides Banned.
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

// SummarizeBan returns the summary of a ban. now (Unix seconds) decides Banned.
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

// appendLine appends v as JSON and a newline to b. Types of this package always
// marshal; a failure is a bug in this package.
func appendLine(b []byte, v any) []byte {
	line, err := json.Marshal(v)
	if err != nil {
		panic("accounts: " + err.Error())
	}
	return append(append(b, line...), '\n')
}
