package grunt

import (
	"bytes"
	"encoding/binary"
	"math"

	"gatepass/codec"
)

// The flags of a realm. Bits 20 and 40 have the names of the colours in which clients show
// them, because sources disagree on which means "new" and which "recommended".
const (
	RealmVersionMismatch uint8 = 0x01 // not for this client's version
	RealmOffline         uint8 = 0x02 // shown, but cannot be entered
	RealmSpecifyBuild    uint8 = 0x04 // Version and Build are sent
	RealmForceBlue       uint8 = 0x20
	RealmForceGreen      uint8 = 0x40
	RealmForceFull       uint8 = 0x80
)

// The populations that clients show as a fixed label. Other values are 0.0 to 2.0: sessions ÷
// limit × 2.
const (
	PopulationGreen float32 = 200 // recommended, new
	PopulationFull  float32 = 400
	PopulationBlue  float32 = 600 // recommended
)

const (
	realmListRequestSize = 5
	realmListHead        = 3 // up to and including the size field
	realmTail            = 3 // characters, category, id
	realmVersionSize     = 5 // after the tail, if it is sent
)

// Realm is one entry of a realm list.
type Realm struct {
	// Type is 0 normal (PvE), 1 PvP, 6 RP, 8 RP-PvP. Clients show 4 like 0; servers of the
	// mangos family write 0.
	Type uint8
	// Flags are bits of the RealmX constants.
	Flags uint8
	// Name and Address ("host:port") must not contain a zero byte.
	Name, Address string
	// Population is 0.0 to 2.0 or one of the PopulationX values.
	Population float32
	// Characters is the number of the account's characters in the realm; 255 means 255 or
	// more.
	Characters uint8
	// Category is the tab under which the realm is listed, numbered as CategoryOf returns it.
	Category uint8
	// ID is sent back by 3.x clients when they enter the realm.
	ID uint8
	// Locked shows a padlock. 1.x has none, so the realm is shown offline there.
	Locked bool
	// Version and Build are sent if RealmSpecifyBuild is set: as fields from Layout8 on, and
	// before it the version as part of the name (from Layout5 to Layout7 without the flag).
	// While both are zero the flag counts as not set.
	Version [3]uint8
	Build   uint16
}

// AppendRealmListRequest writes a client's request for the list.
func AppendRealmListRequest(dst []byte) []byte {
	return append(dst, opRealmList, 0, 0, 0, 0)
}

// ParseRealmListRequest reads a client's request for the list and returns its length. It
// ignores the u32 in it.
func ParseRealmListRequest(b []byte) (int, error) {
	if err := expect(b, opRealmList); err != nil {
		return 0, err
	}
	if len(b) < realmListRequestSize {
		return 0, codec.ErrShort
	}
	return realmListRequestSize, nil
}

// AppendRealmList writes the list for clients of one build. It returns ErrRealmText,
// ErrRealmCount or ErrRealmListSize, and dst unchanged, if the list cannot be written.
func AppendRealmList(dst []byte, build Build, realms []Realm) ([]byte, error) {
	return appendRealmList(dst, build, realms, nil)
}

// AppendRealmListCounts does the same as AppendRealmList. It also sets counts[i] to the
// offset, from the list's first byte, of the Characters of realms[i]. So one list can be sent
// to many accounts with only those bytes changed. counts must be as long as realms. After an
// error its contents have no meaning.
func AppendRealmListCounts(dst []byte, build Build, realms []Realm, counts []int) ([]byte, error) {
	if len(counts) != len(realms) {
		panic("grunt: as many counts as realms are needed")
	}
	return appendRealmList(dst, build, realms, counts)
}

// appendRealmList implements both; counts may be nil.
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

// fromCharacters returns the number of bytes of a realm from its Characters on.
func (r *Realm) fromCharacters(l Layout) int {
	if l >= Layout8 && r.flags(l)&RealmSpecifyBuild != 0 {
		return realmTail + realmVersionSize
	}
	return realmTail
}

// ParseRealmList reads the list that a server sent to a client of the given build. Its realms
// must have exactly the size that it states.
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

// parseRealms reads the part that the size field counts.
func parseRealms(b []byte, l Layout) ([]Realm, error) {
	c := codec.NewCursor(b)
	c.U32()
	count := int(l.readRealmCount(&c))
	// A realm has 12 bytes at least, so a wrong count does not cause a large allocation.
	realms := make([]Realm, 0, min(count, len(b)/12))
	for range count {
		r, err := parseRealm(&c, b, l)
		if err != nil {
			return nil, err
		}
		realms = append(realms, r)
	}
	c.U16() // footer: differs by server, no client reads it
	if c.Short() || c.Offset() != len(b) {
		return nil, badRealmList
	}
	return realms, nil
}

// parseRealm reads one realm at c, which reads from b.
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

// readText reads a zero-terminated text at c, which reads from b.
func readText(c *codec.Cursor, b []byte) string {
	n := bytes.IndexByte(b[c.Offset():], 0)
	if n < 0 {
		n = len(b) // no zero byte: read past the end, so that c is short
	}
	text := string(c.Bytes(n))
	c.U8()
	return text
}
