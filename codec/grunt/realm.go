package grunt

import (
	"encoding/binary"
	"math"
	"strconv"
	"strings"

	"gatepass/codec"
)

// sendable reports whether the realm's texts have no zero byte, so that they can be sent with
// a zero at the end.
func (r *Realm) sendable() bool {
	return strings.IndexByte(r.Name, 0) < 0 && strings.IndexByte(r.Address, 0) < 0
}

// append writes one realm.
func (r *Realm) append(dst []byte, l Layout) []byte {
	if l >= Layout5 {
		dst = append(dst, r.Type, boolByte(r.Locked))
	} else {
		dst = binary.LittleEndian.AppendUint32(dst, uint32(r.Type))
	}
	flags := r.flags(l)
	dst = append(dst, flags)
	dst = append(dst, r.Name...)
	if l < Layout8 && r.hasVersion() {
		dst = appendVersionSuffix(dst, r.Version)
	}
	dst = append(dst, 0)
	dst = append(dst, r.Address...)
	dst = append(dst, 0)
	dst = binary.LittleEndian.AppendUint32(dst, math.Float32bits(r.Population))
	dst = append(dst, r.Characters, r.Category, r.ID)
	if flags&RealmSpecifyBuild != 0 && l >= Layout8 {
		dst = append(dst, r.Version[:]...)
		dst = binary.LittleEndian.AppendUint16(dst, r.Build)
	}
	return dst
}

// flags returns the flags to send to clients of layout l.
func (r *Realm) flags(l Layout) uint8 {
	f := r.Flags
	if r.Locked && l < Layout5 {
		f |= RealmOffline
	}
	// From 2.0.3 to 2.3.3 sources disagree whether the version follows. So the flag is cleared
	// and the version is part of the name. A flag without a version has no meaning and is
	// cleared too.
	between := l >= Layout5 && l < Layout8
	if between || !r.hasVersion() {
		f &^= RealmSpecifyBuild
	}
	return f
}

// hasVersion reports whether the realm's version is sent.
func (r *Realm) hasVersion() bool {
	return r.Flags&RealmSpecifyBuild != 0 && (r.Version != [3]uint8{} || r.Build != 0)
}

// parseVersion reads the version of a realm that has the flag, from the place where the layout
// has it.
func (r *Realm) parseVersion(c *codec.Cursor, l Layout) {
	switch {
	case l >= Layout8:
		c.Copy(r.Version[:])
		r.Build = c.U16()
	case l < Layout5:
		r.Name, r.Version = cutVersionSuffix(r.Name)
	}
}

// appendVersionSuffix writes " (1,12,1)", with commas as in mangos.
func appendVersionSuffix(dst []byte, v [3]uint8) []byte {
	dst = append(dst, " ("...)
	for i, n := range v {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendUint(dst, uint64(n), 10)
	}
	return append(dst, ')')
}

// cutVersionSuffix removes the suffix of appendVersionSuffix and returns the version. It
// returns the name unchanged unless its end is exactly what appendVersionSuffix writes.
func cutVersionSuffix(name string) (string, [3]uint8) {
	i := strings.LastIndex(name, " (")
	if i < 0 {
		return name, [3]uint8{}
	}
	var v [3]uint8
	parts := strings.Split(strings.TrimSuffix(name[i+2:], ")"), ",")
	for j := range min(len(parts), len(v)) {
		n, err := strconv.ParseUint(parts[j], 10, 8)
		if err != nil {
			return name, [3]uint8{}
		}
		v[j] = uint8(n)
	}
	if v == [3]uint8{} || name[i:] != string(appendVersionSuffix(nil, v)) {
		return name, [3]uint8{}
	}
	return name[:i], v
}

// hasWideRealmCount reports whether the count of realms is a u16. In version 5 it is a u8,
// according to the source that has example bytes; one server writes a u16.
func (l Layout) hasWideRealmCount() bool { return l >= Layout6 }

func (l Layout) maxRealms() int {
	if l.hasWideRealmCount() {
		return math.MaxUint16
	}
	return math.MaxUint8
}

func (l Layout) appendRealmCount(dst []byte, n int) []byte {
	if l.hasWideRealmCount() {
		return binary.LittleEndian.AppendUint16(dst, uint16(n))
	}
	return append(dst, byte(n))
}

func (l Layout) readRealmCount(c *codec.Cursor) uint16 {
	if l.hasWideRealmCount() {
		return c.U16()
	}
	return uint16(c.U8())
}

// realmFooter returns the end of a list. No client reads it; the values are those of mangos.
func (l Layout) realmFooter() uint16 {
	if l < Layout5 {
		return 0x0002
	}
	return 0x0010
}

func boolByte(b bool) byte {
	if b {
		return 1
	}
	return 0
}
