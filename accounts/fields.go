package accounts

import (
	"errors"
	"strings"

	"gatepass/auth/srp6"
	"gatepass/storage"
)

// column is a column that an import understands.
type column uint8

const (
	columnUsername column = iota
	columnPassword
	columnSalt
	columnVerifier
	columnS
	columnV
	columnShaPassHash
	columnCount
	// columnIgnored is any other.
	columnIgnored
)

func columnOf(name string) column {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "username":
		return columnUsername
	case "password":
		return columnPassword
	case "salt":
		return columnSalt
	case "verifier":
		return columnVerifier
	case "s":
		return columnS
	case "v":
		return columnV
	case "sha_pass_hash":
		return columnShaPassHash
	}
	return columnIgnored
}

// fields are the columns of one row, empty where it has none.
type fields [columnCount]string

// Errors of rows. None holds a value of the row.
var (
	errNoSecret = errors.New("neither a password nor a verifier (password, salt and verifier, s and v, or sha_pass_hash)")
	errHalfPair = errors.New("salt and verifier, or s and v, belong together and one of them is empty")
)

// draft is a row that was read: a banned range, or an account that may still need
// its verifier.
type draft struct {
	account storage.Account
	devices []storage.Device
	// asStored tells that what is absent of the account stays so: it is out of an
	// export that says of itself that it is whole.
	asStored bool
	// address is set for a banned range, which has no account.
	address *storage.AddressBan
	// password, or else hash, is what the verifier is to be made of; neither is
	// set when the row brought a verifier.
	password string
	hash     *[20]byte
}

// secret takes the verifier of a row from the first of the password, the
// Trinity pair, the mangos pair and the mangos hash that it has.
//
// mangos writes "0" or nothing where s and v are still to be made, and makes
// them from the hash when one is not 64 digits long. So the hash goes first
// then, and a short number without a hash is filled up.
func (d *draft) secret(f *fields) (err error) {
	s, v := mangosPair(f[columnS], f[columnV])
	salt, verifier, hash := hexColumn(f[columnSalt]), hexColumn(f[columnVerifier]), hexColumn(f[columnShaPassHash])
	switch {
	case f[columnPassword] != "":
		d.password = f[columnPassword]
		return CheckPassword(d.password)
	case salt != "" && verifier != "":
		d.account.Grunt, err = parseTrinity(salt, verifier)
		return err
	case len(s) == 64 && len(v) == 64, s != "" && v != "" && hash == "":
		d.account.Grunt, err = parseMangos(s, v)
		return err
	case hash != "":
		d.hash = new([20]byte)
		if !decodeFixed(d.hash[:], hash) {
			return errHashHex
		}
		return nil
	case salt != verifier || s != v:
		return errHalfPair
	case len(d.account.Others) > 0, d.asStored:
		return nil
	}
	return errNoSecret
}

// finish computes the verifiers that are still missing. This is the dear part of an
// import. A hash is of the grunt protocol and good for no other.
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

// hexColumn drops what database clients write for NULL.
func hexColumn(text string) string {
	if text == "NULL" || text == `\N` {
		return ""
	}
	return text
}

// mangosPair drops what stands for none in a mangos database as well: both zero. One
// that is zero beside one that is not is a number.
func mangosPair(s, v string) (string, string) {
	s, v = hexColumn(s), hexColumn(v)
	if strings.Trim(s, "0") == "" && strings.Trim(v, "0") == "" {
		return "", ""
	}
	return s, v
}
