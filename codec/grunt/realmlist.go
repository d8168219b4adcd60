package grunt

import (
	"bytes"
	"encoding/binary"
	"math"

	"gatepass/codec"
)

// The flags of a realm. Bits 20 and 40 are named after the colour that clients
// show them in, since sources disagree on which is "new" and which "recommended".
const (
	RealmVersionMismatch uint8 = 0x01 // not for this client's version
	RealmOffline         uint8 = 0x02 // shown, cannot be entered
	RealmSpecifyBuild    uint8 = 0x04 // Version and Build are told
	RealmForceBlue       uint8 = 0x20
	RealmForceGreen      uint8 = 0x40
	RealmForceFull       uint8 = 0x80
)

// The populations that clients show as a fixed label. All else is 0.0 to 2.0:
// sessions ÷ limit × 2.
const (
	PopulationGreen float32 = 200 // recommended, new
	PopulationFull  float32 = 400
	PopulationBlue  float32 = 600 // recommended
)

const (
	realmListRequestSize = 5
	realmListHead        = 3 // up to and with the size field
	realmTail            = 3 // characters, category, id
	realmVersionSize     = 5 // behind the tail, where it is told
)

// Realm is one line of a realm list.
type Realm struct {
	// Type is 0 normal (PvE), 1 PvP, 6 RP, 8 RP-PvP. 4 is shown as 0 is; servers of
	// the mangos family write 0.
	Type uint8
	// Flags are RealmX bits.
	Flags uint8
	// Name and Address ("host:port") hold no zero byte.
	Name, Address string
	// Population is 0.0 to 2.0 or one of the PopulationX values.
	Population float32
	// Characters is how many the account has there; 255 stands for more.
	Characters uint8
	// Category is the tab under which the realm is listed, as CategoryOf has it.
	Category uint8
	// ID comes back from 3.x clients when they enter the realm.
	ID uint8
	// Locked shows a padlock. 1.x has none, so there the realm is shown offline.
	Locked bool
	// Version and Build are told under RealmSpecifyBuild: by Layout8 as they are,
	// before it the version as part of the name, and there without the flag from
	// Layout5 on. While both are zero the flag counts as not set.
	Version [3]uint8
	Build   uint16
}

// AppendRealmListRequest writes a client's request for the list.
func AppendRealmListRequest(dst []byte) []byte {
	return append(dst, opRealmList, 0, 0, 0, 0)
}

// ParseRealmListRequest reads a client's request for the list and returns its
// length. The word in it is not looked at.
func ParseRealmListRequest(b []byte) (int, error) {
	if err := expect(b, opRealmList); err != nil {
		return 0, err
	}
	if len(b) < realmListRequestSize {
		return 0, codec.ErrShort
	}
	return realmListRequestSize, nil
}

// AppendRealmList writes the list for clients of one build. It fails with
// ErrRealmText, ErrRealmCount or ErrRealmListSize, and then returns dst as it
// was.
func AppendRealmList(dst []byte, build Build, realms []Realm) ([]byte, error) {
	return appendRealmList(dst, build, realms, nil)
}

// AppendRealmListCounts is AppendRealmList, and sets counts[i] to where the
// Characters of realms[i] are, as an offset from the list's first byte: so one
// list can be sent to many accounts with only those bytes changed. counts must be
// as long as realms; what it holds after an error means nothing.
func AppendRealmListCounts(dst []byte, build Build, realms []Realm, counts []int) ([]byte, error) {
	if len(counts) != len(realms) {
		panic("grunt: as many counts as realms are needed")
	}
	return appendRealmList(dst, build, realms, counts)
}

// appendRealmList does both; counts may be nil.
func appendRealmList(dst []byte, build Build, realms []Realm, counts []int) ([]byte, error) {
	l := LayoutOf(build)
	if len(realms) > l.maxRealms() {
		return dst, ErrRealmCount
	}
	start := len(dst)
	out := append(dst, opRealmList, 0, 0, 0, 0, 0, 0)
	out = l.appendRealmCount(out, len(realms))
	for i := range realms {
		if !realms[i].sendable() {
			return dst, ErrRealmText
		}
		out = realms[i].append(out, l)
		if len(out)-start > realmListHead+math.MaxUint16 {
			return dst, ErrRealmListSize
		}
		if counts != nil {
			counts[i] = len(out) - start - realms[i].fromCharacters(l)
		}
	}
	out = binary.LittleEndian.AppendUint16(out, l.realmFooter())
	size := len(out) - start - realmListHead
	if size > math.MaxUint16 {
		return dst, ErrRealmListSize
	}
	binary.LittleEndian.PutUint16(out[start+1:], uint16(size))
	return out, nil
}

// fromCharacters is how many bytes of a realm there are from its Characters on.
func (r *Realm) fromCharacters(l Layout) int {
	if l >= Layout8 && r.flags(l)&RealmSpecifyBuild != 0 {
		return realmTail + realmVersionSize
	}
	return realmTail
}

// ParseRealmList reads the list that a server sent to a client of the given
// build. Its realms must fill the size it states.
func ParseRealmList(b []byte, build Build) ([]Realm, int, error) {
	if err := expect(b, opRealmList); err != nil {
		return nil, 0, err
	}
	if len(b) < realmListHead {
		return nil, 0, codec.ErrShort
	}
	n := realmListHead + int(binary.LittleEndian.Uint16(b[1:]))
	if len(b) < n {
		return nil, 0, codec.ErrShort
	}
	realms, err := parseRealms(b[realmListHead:n], LayoutOf(build))
	if err != nil {
		return nil, 0, err
	}
	return realms, n, nil
}

// parseRealms reads what the size field measures.
func parseRealms(b []byte, l Layout) ([]Realm, error) {
	c := codec.NewCursor(b)
	c.U32()
	count := int(l.readRealmCount(&c))
	// A realm has 12 bytes at least, so a made-up count reserves nothing.
	realms := make([]Realm, 0, min(count, len(b)/12))
	for range count {
		r, err := parseRealm(&c, b, l)
		if err != nil {
			return nil, err
		}
		realms = append(realms, r)
	}
	c.U16() // footer: differs by server, no client looks at it
	if c.Short() || c.Offset() != len(b) {
		return nil, badRealmList
	}
	return realms, nil
}

// parseRealm reads one realm at c, which runs over b.
func parseRealm(c *codec.Cursor, b []byte, l Layout) (Realm, error) {
	var r Realm
	if l >= Layout5 {
		r.Type, r.Locked = c.U8(), c.U8() != 0
	} else if t := c.U32(); t <= math.MaxUint8 {
		r.Type = uint8(t)
	} else {
		return Realm{}, badRealmType
	}
	r.Flags = c.U8()
	r.Name, r.Address = readText(c, b), readText(c, b)
	r.Population = math.Float32frombits(c.U32())
	r.Characters, r.Category, r.ID = c.U8(), c.U8(), c.U8()
	if r.Flags&RealmSpecifyBuild != 0 {
		r.parseVersion(c, l)
	}
	if c.Short() {
		return Realm{}, badRealmList
	}
	return r, nil
}

// readText reads a zero-ended text at c, which runs over b.
func readText(c *codec.Cursor, b []byte) string {
	n := bytes.IndexByte(b[c.Offset():], 0)
	if n < 0 {
		n = len(b) // no end: read past ours, so that c is short
	}
	text := string(c.Bytes(n))
	c.U8()
	return text
}
