package records

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"gatepass/storage"
)

// The first byte of every key says what it is of. All keys are built in this
// file; doc.go draws them.
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

// KeyBuf is room for one key. Each goroutine has its own.
type KeyBuf [MaxKey]byte

// Account builds the key of n's account; it is good until k is used again.
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

// Devices builds what the keys of all of n's devices begin with. The length keeps
// the devices of a name apart from those of a longer one that begins with it.
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

// NameOf is the name in the key of an account.
func NameOf(key []byte) (storage.Name, error) {
	n, err := storage.FoldName(key[1:])
	if err != nil || string(n.Bytes()) != string(key[1:]) {
		return storage.Name{}, errKey
	}
	return n, nil
}

// FamilyOf is the family in the key of a device, behind what devices built.
func FamilyOf(key []byte, prefix int) (family [16]byte, err error) {
	if len(key) != prefix+len(family) {
		return family, errKey
	}
	copy(family[:], key[prefix:])
	return family, nil
}

// PrefixOf is the range in the key of an address ban.
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

// bounds are the lowest key with a prefix and the lowest behind all of them.
func Bounds(prefix byte) (lower, upper []byte) { return []byte{prefix}, []byte{prefix + 1} }

// BoundsOfDevices are the same for n's devices. No byte of a name is the highest
// one, so the last can be raised.
func BoundsOfDevices(n *storage.Name) (lower, upper []byte) {
	var k KeyBuf
	lower = k.Devices(n)
	upper = append([]byte(nil), lower...)
	upper[len(upper)-1]++
	return lower, upper
}

// MetaKey is the key of one of the store's own entries.
func MetaKey(what string) []byte { return append([]byte{PrefixMeta}, what...) }

// Little-endian throughout, in one place.
var order = binary.LittleEndian
