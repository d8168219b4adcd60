package records

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"gatepass/storage"
)

// The first byte of a key says what the record is. All keys are built in this file; doc.go
// draws them.
const (
	PrefixAccount    = 'a'
	PrefixAddressBan = 'b'
	PrefixDevice     = 'd'
	PrefixLogin      = 'l'
	PrefixMeta       = 'm'
)

// MaxKey is the longest key: a device of the longest name.
const MaxKey = 1 + 1 + storage.MaxName + 16

var errKey = errors.New("malformed key")

// KeyBuf has space for one key. Each goroutine has its own.
type KeyBuf [MaxKey]byte

// Account builds the key of n's account, valid until k is used again.
func (k *KeyBuf) Account(n *storage.Name) []byte {
	return append(append(k[:0], PrefixAccount), n.Bytes()...)
}

// Login builds the key of n's login record.
func (k *KeyBuf) Login(n *storage.Name) []byte {
	return append(append(k[:0], PrefixLogin), n.Bytes()...)
}

// Device builds the key of n's device of a family.
func (k *KeyBuf) Device(n *storage.Name, family [16]byte) []byte {
	return append(k.Devices(n), family[:]...)
}

// Devices builds the common prefix of the keys of n's devices. The length byte separates
// the devices of a name from those of a longer name that begins with it.
func (k *KeyBuf) Devices(n *storage.Name) []byte {
	name := n.Bytes()
	return append(append(k[:0], PrefixDevice, byte(len(name))), name...)
}

// AddressBan builds the key of the ban of p, which must come from foldPrefix.
func (k *KeyBuf) AddressBan(p netip.Prefix) []byte {
	a := p.Addr()
	b := append(k[:0], PrefixAddressBan, byte(a.BitLen()/8))
	if a.Is4() {
		v4 := a.As4()
		b = append(b, v4[:]...)
	} else {
		v6 := a.As16()
		b = append(b, v6[:]...)
	}
	return append(b, byte(p.Bits()))
}

// NameOf returns the name in the key of an account.
func NameOf(key []byte) (storage.Name, error) {
	n, err := storage.FoldName(key[1:])
	if err != nil || string(n.Bytes()) != string(key[1:]) {
		return storage.Name{}, errKey
	}
	return n, nil
}

// FamilyOf returns the family in the key of a device; prefix is the length of what Devices
// built.
func FamilyOf(key []byte, prefix int) (family [16]byte, err error) {
	if len(key) != prefix+len(family) {
		return family, errKey
	}
	copy(family[:], key[prefix:])
	return family, nil
}

// PrefixOf returns the range in the key of an address ban.
func PrefixOf(key []byte) (netip.Prefix, error) {
	if len(key) < 3 || int(key[1]) != len(key)-3 {
		return netip.Prefix{}, errKey
	}
	addr, ok := netip.AddrFromSlice(key[2 : len(key)-1])
	p := netip.PrefixFrom(addr, int(key[len(key)-1]))
	if folded, fine := storage.FoldPrefix(p); !ok || !fine || folded != p {
		return netip.Prefix{}, errKey
	}
	return p, nil
}

// Bounds returns the lowest key with a prefix and the lowest key after all of them.
func Bounds(prefix byte) (lower, upper []byte) { return []byte{prefix}, []byte{prefix + 1} }

// BoundsOfDevices returns the same for n's devices. The last byte of a name can be
// incremented, since no byte of a name is 255.
func BoundsOfDevices(n *storage.Name) (lower, upper []byte) {
	var k KeyBuf
	lower = k.Devices(n)
	upper = append([]byte(nil), lower...)
	upper[len(upper)-1]++
	return lower, upper
}

// MetaKey returns the key of one of the store's own entries.
func MetaKey(what string) []byte { return append([]byte{PrefixMeta}, what...) }

// Little-endian throughout, in one place.
var order = binary.LittleEndian
