package accounts

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"gatepass/storage"
)

// Errors of NDJSON lines; the decoder's own would quote values.
var (
	errNotObject = errors.New("not one JSON object on one line")
	errWrongKind = errors.New("a field has a value of the wrong kind; names, passwords and hex are texts, times are RFC 3339")
)

// importRecord is a line of an NDJSON import: what an export writes, and the
// ways to give a verifier that an export does not use.
type importRecord struct {
	record
	Password    string       `json:"password"`
	ShaPassHash string       `json:"sha_pass_hash"`
	Address     netip.Prefix `json:"address"`
}

// objects parses JSON rows, which may be done by several goroutines.
type objects struct {
	// version is that of the export, 0 for any other file.
	version int
}

// exportVersionOf reads the first line of an export; 0 for any other line. It is an
// error if the export is of a later version, or of something else.
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
	return h.Version, strictJSON(line, &h)
}

// parse reads one row.
func (o *objects) parse(line []byte) (draft, []string, error) {
	var r importRecord
	if err := strictJSON(line, &r); err != nil {
		return draft{}, nil, err
	}
	if r.Address.IsValid() && r.Username == "" {
		d, err := r.addressBan()
		return d, nil, err
	}
	d, err := r.draft(o.version)
	return d, nil, err
}

func (r *importRecord) addressBan() (d draft, err error) {
	prefix, err := ParsePrefix(r.Address.String())
	if err != nil {
		return draft{}, err
	}
	ban, err := r.Ban.ban()
	if err == nil && !ban.Set {
		err = &FieldError{Field: "ban", Problem: "is missing beside an address"}
	}
	return draft{address: &storage.AddressBan{Prefix: prefix, Ban: ban}}, err
}

func (r *importRecord) draft(version int) (draft, error) {
	account, err := r.account()
	if err != nil {
		return draft{}, err
	}
	if err := checkOthers(account.Others); err != nil {
		return draft{}, err
	}
	d := draft{account: account, asStored: version > 1}
	if d.devices, err = r.devices(); err != nil {
		return draft{}, err
	}
	return d, d.secret(&fields{
		columnPassword: r.Password, columnSalt: r.Salt, columnVerifier: r.Verifier,
		columnS: r.S, columnV: r.V, columnShaPassHash: r.ShaPassHash,
	})
}
