package records

import (
	"maps"
	"slices"

	"gatepass/storage"
)

// Bits of an account record's second byte: which optional parts follow.
const (
	flagGrunt      = 1 << iota // salt and verifier
	flagBan                    // a ban
	flagPIN                    // a PIN
	flagTOTP                   // a TOTP secret
	flagOthers                 // other protocols' verifiers
	flagCharacters             // character counts; since format 2

	flagsKnown = flagGrunt | flagBan | flagPIN | flagTOTP | flagOthers | flagCharacters
)

func accountFlags(a *storage.Account) (flags byte) {
	set := func(bit byte, on bool) {
		if on {
			flags |= bit
		}
	}
	set(flagGrunt, a.Grunt.Set)
	set(flagBan, a.Ban.Set)
	set(flagPIN, a.PIN != "")
	set(flagTOTP, len(a.TOTPSecret) > 0)
	set(flagOthers, len(a.Others) > 0)
	set(flagCharacters, len(a.Characters) > 0)
	return flags
}

// AppendAccount appends the record of a, which must be valid. Name and Login are
// not in it: they are in the key and in the login record.
func AppendAccount(b []byte, a *storage.Account) []byte {
	flags := accountFlags(a)
	b = append(b, Version, flags)
	b = order.AppendUint64(b, uint64(a.Created))
	if flags&flagGrunt != 0 {
		b = append(append(b, a.Grunt.Salt[:]...), a.Grunt.Verifier[:]...)
	}
	if flags&flagBan != 0 {
		b = appendBan(b, &a.Ban)
	}
	if flags&flagPIN != 0 {
		b = appendText(b, a.PIN)
	}
	if flags&flagTOTP != 0 {
		b = appendText(b, string(a.TOTPSecret))
	}
	if flags&flagOthers != 0 {
		b = appendOthers(b, a.Others)
	}
	if flags&flagCharacters != 0 {
		b = appendCharacters(b, a.Characters)
	}
	return b
}

// appendOthers sorts by name, so that equal accounts have equal records.
func appendOthers(b []byte, others map[string][]byte) []byte {
	b = append(b, byte(len(others)))
	for _, name := range slices.Sorted(maps.Keys(others)) {
		b = appendText(b, name)
		b = order.AppendUint16(b, uint16(len(others[name])))
		b = append(b, others[name]...)
	}
	return b
}

// ParseAccount reads a record into a, whose Name and Login it leaves alone. What
// it stores does not alias b.
func ParseAccount(b []byte, a *storage.Account) error {
	const kind = "account"
	d := decoder{left: b}
	if err := d.version(kind); err != nil {
		return err
	}
	flags := d.u8()
	d.require(flags&^flagsKnown == 0)
	a.Created = d.i64()
	if flags&flagGrunt != 0 {
		a.Grunt.Set = true
		copy(a.Grunt.Salt[:], d.take(len(a.Grunt.Salt)))
		copy(a.Grunt.Verifier[:], d.take(len(a.Grunt.Verifier)))
	}
	if flags&flagBan != 0 {
		a.Ban = d.ban()
	}
	if flags&flagPIN != 0 {
		a.PIN = d.text()
		d.require(a.PIN != "" && storage.ValidPIN(a.PIN))
	}
	if flags&flagTOTP != 0 {
		a.TOTPSecret = append([]byte(nil), d.take(int(d.u8()))...)
		d.require(len(a.TOTPSecret) > 0)
	}
	if flags&flagOthers != 0 {
		a.Others = d.others()
	}
	if flags&flagCharacters != 0 {
		a.Characters = d.characters()
	}
	return d.end(kind)
}

// others reads what appendOthers wrote: at least one, in strictly rising order.
func (d *decoder) others() map[string][]byte {
	n, last := int(d.u8()), ""
	d.require(n > 0 && n <= storage.MaxOthers)
	if d.bad {
		return nil
	}
	m := make(map[string][]byte, n)
	for range n {
		name := d.text()
		v := d.take(d.u16())
		d.require(name > last && len(name) <= storage.MaxOtherName && len(v) <= storage.MaxOther)
		if d.bad {
			return nil
		}
		m[name], last = append([]byte{}, v...), name
	}
	return m
}
