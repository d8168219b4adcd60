package accounts

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
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
	Password    string `json:"password"`
	ShaPassHash string `json:"sha_pass_hash"`
}

// objects parses NDJSON. Its rows may be parsed by several goroutines.
type objects struct {
	known []string
}

func newObjects() *objects {
	return &objects{known: jsonNames(reflect.TypeFor[importRecord]())}
}

// parse reads one line and names the fields that it does not know.
func (o *objects) parse(line []byte) (draft, []string, error) {
	var r importRecord
	if err := json.Unmarshal(line, &r); err != nil {
		var syntax *json.SyntaxError
		if errors.As(err, &syntax) {
			return draft{}, nil, errNotObject
		}
		return draft{}, nil, errWrongKind
	}
	account, err := r.account()
	if err != nil {
		return draft{}, nil, err
	}
	if err := checkOthers(account.Others); err != nil {
		return draft{}, nil, err
	}
	d := draft{account: account}
	err = d.secret(&fields{
		columnPassword: r.Password, columnSalt: r.Salt, columnVerifier: r.Verifier,
		columnS: r.S, columnV: r.V, columnShaPassHash: r.ShaPassHash,
	})
	return d, o.unknown(line), err
}

func (o *objects) unknown(line []byte) []string {
	var keys map[string]json.RawMessage
	if json.Unmarshal(line, &keys) != nil {
		return nil
	}
	var names []string
	for key := range keys {
		if !slices.ContainsFunc(o.known, func(k string) bool { return strings.EqualFold(k, key) }) {
			names = append(names, key)
		}
	}
	return names
}

// jsonNames lists the fields of a struct as JSON calls them.
func jsonNames(t reflect.Type) []string {
	var names []string
	for _, field := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(field.Tag.Get("json"), ","); name != "" {
			names = append(names, name)
		}
	}
	return names
}
