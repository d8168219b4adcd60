package accounts

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"gatepass/storage"
)

// Errors of NDJSON lines. The decoder's own errors would quote values.
var (
	errNotObject = errors.New("not one JSON object on one line")
	errWrongKind = errors.New("a field has a value of the wrong kind; names, passwords and hex are texts, times are RFC 3339")
)

// importRecord is a line of an NDJSON import: the keys of an export, and other ways to
// give a verifier.
type importRecord struct {
	Record
	Password    string       `json:"password"`
	ShaPassHash string       `json:"sha_pass_hash"`
	Address     netip.Prefix `json:"address"`
}

// objects parses JSON rows. Several goroutines may use it.
type objects struct {
	// version is the version of the export, or 0 for any other file.
	version int
	rules   *rules
}

// exportVersionOf parses the first line of an export. It returns 0 for any other line.
// It returns an error if the export has a later version or another kind.
func exportVersionOf(line []byte) (int, error) {
	var h exportHeader
	if json.Unmarshal(line, &h) != nil || h.Gatepass == "" {
		return 0, nil
	}
	if h.Gatepass != exportKind {
		return 0, fmt.Errorf("the file is an export of %s, not of accounts", shownKey(h.Gatepass))
	}
	if h.Version < 1 || h.Version > exportVersion {
		return 0, fmt.Errorf("the file is an export of version %d; this gatepass reads up to %d: import it with the one that wrote it", h.Version, exportVersion)
	}
	return h.Version, StrictJSON(line, &h)
}

// parse parses one row. The row can mix the keys of an export with columns of a
// database. parse takes out the columns first and reads them as in a table.
func (o *objects) parse(line []byte) (draft, error) {
	var r importRecord
	var f fields
	err := StrictJSON(line, &r)
	if err != nil && o.version == 0 {
		if rest, foreign := databaseKeys(line, &f); foreign {
			r = importRecord{}
			err = StrictJSON(rest, &r)
		}
	}
	d := draft{}
	d.account.Name, _ = ParseName(r.Username)
	if err != nil {
		return d, err
	}
	if r.Address.IsValid() && r.Username == "" {
		return r.addressBan(o)
	}
	return r.draft(o, &f)
}

// databaseKeys moves the columns of a database from an object to f. A null is an empty
// field. foreign reports whether there were any. It ignores a line that it cannot
// parse.
func databaseKeys(line []byte, f *fields) (rest []byte, foreign bool) {
	if !json.Valid(line) { // doubledKey requires it
		return nil, false
	}
	if _, twice := doubledKey(line); twice {
		return nil, false
	}
	var all map[string]json.RawMessage
	if json.Unmarshal(line, &all) != nil {
		return nil, false
	}
	for key, value := range all {
		c := columnOf(key)
		if c == columnIgnored || c < columnCreated && c != columnToken && c != columnSecurity || c == columnCreated && strings.EqualFold(key, "created") || string(value) == "{}" {
			continue
		}
		text, ok := scalar(value)
		if !ok || c < columnCount && f[c] != "" {
			continue
		}
		if c < columnCount {
			f[c] = text
		}
		delete(all, key)
		foreign = true
	}
	rest, err := json.Marshal(all)
	return rest, foreign && err == nil
}

// scalar returns a JSON text or number as the text that a table would have.
func scalar(value json.RawMessage) (string, bool) {
	var text string
	switch {
	case len(value) == 0 || value[0] == '{' || value[0] == '[':
		return "", false
	case string(value) == "null", string(value) == "false":
		return "", true
	case string(value) == "true":
		return "1", true
	case value[0] != '"':
		return string(value), true
	}
	if json.Unmarshal(value, &text) != nil {
		return "", false
	}
	if isNull(text) {
		return "", true
	}
	return text, true
}

func (r *importRecord) addressBan(o *objects) (d draft, err error) {
	prefix, err := ParsePrefix(r.Address.String())
	if err != nil {
		return draft{}, err
	}
	ban, err := r.Ban.Ban()
	if err == nil && !ban.Set {
		err = &FieldError{Field: "ban", Problem: "is missing beside an address"}
	}
	if err == nil && o.version < 2 {
		err = errors.Join(CheckTime("ban.since", ban.Since), CheckTime("ban.until", ban.Until))
	}
	return draft{address: &storage.AddressBan{Prefix: prefix, Ban: ban}}, err
}

func (r *importRecord) draft(o *objects, f *fields) (d draft, err error) {
	name, _ := ParseName(r.Username)
	if d.account, err = r.account(); err != nil {
		d.account.Name = name // so that the report can name the bad row
		return d, err
	}
	d.asStored = o.version > 1
	if !d.asStored {
		if err := r.checkTimes(); err != nil {
			return d, err
		}
	}
	if err := checkOthers(d.account.Others); err != nil {
		return d, err
	}
	if d.devices, err = r.devices(); err != nil {
		return d, err
	}
	f[columnPassword], f[columnSalt], f[columnVerifier] = r.Password, r.Salt, r.Verifier
	f[columnS], f[columnV], f[columnShaPassHash] = r.S, r.V, r.ShaPassHash
	if err := d.secret(f, o.rules); err != nil {
		return d, err
	}
	return d, d.foreign(f, o.rules)
}

// foreign adds the data of database columns. Keys of an export have priority.
func (d *draft) foreign(f *fields, r *rules) error {
	var other draft
	if err := other.factors(f); err != nil {
		return err
	}
	other.past(f, r)
	other.leave(f, r)
	ban, err := f.ban(&other, r)
	if err != nil {
		return err
	}
	a, b := &d.account, &other.account
	if a.PIN == "" {
		a.PIN = b.PIN
	}
	if len(a.TOTPSecret) == 0 {
		a.TOTPSecret = b.TOTPSecret
	}
	if a.Created == 0 {
		a.Created = b.Created
	}
	if a.Login == (storage.LoginRecord{}) {
		a.Login = b.Login
	}
	if !a.Ban.Set {
		a.Ban = ban
	}
	d.left |= other.left
	return nil
}

// checkTimes refuses implausible times. It is for all files except complete exports,
// which may contain times of a wrong clock.
func (r *Record) checkTimes() error {
	ban := BanEntry{}
	if r.Ban != nil {
		ban = *r.Ban
	}
	return cmp.Or(CheckTime("created", int64(r.Created)), CheckTime("last_login", int64(r.LastLogin)), CheckTime("last_failed", int64(r.LastFailed)),
		CheckTime("ban.since", int64(ban.Since)), CheckTime("ban.until", int64(ban.Until)))
}
