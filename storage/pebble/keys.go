package pebble

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"gatepass/storage"
)

// The first byte of every key says what it is of. All keys are built in this
// file; doc.go draws them.
const (
	prefixAccount    = 'a'
	prefixAddressBan = 'b'
	prefixDevice     = 'd'
	prefixLogin      = 'l'
	prefixMeta       = 'm'
)

// maxKey is the longest key: a device of the longest name.
const maxKey = 1 + 1 + storage.MaxName + 16

var errKey = errors.New("malformed key")

// keyBuf is room for one key. Each goroutine has its own.
type keyBuf [maxKey]byte

// account builds the key of n's account; it is good until k is used again.
func (k *keyBuf) account(n *storage.Name) []byte {
	return append(append(k[:0], prefixAccount), n.Bytes()...)
}

// login builds the key of n's login record.
func (k *keyBuf) login(n *storage.Name) []byte {
	return append(append(k[:0], prefixLogin), n.Bytes()...)
}

// device builds the key of n's device of a family.
func (k *keyBuf) device(n *storage.Name, family [16]byte) []byte {
	return append(k.devices(n), family[:]...)
}

// devices builds what the keys of all of n's devices begin with. The length keeps
// the devices of a name apart from those of a longer one that begins with it.
func (k *keyBuf) devices(n *storage.Name) []byte {
	name := n.Bytes()
	return append(append(k[:0], prefixDevice, byte(len(name))), name...)
}

// addressBan builds the key of the ban of p, which must come from foldPrefix.
func (k *keyBuf) addressBan(p netip.Prefix) []byte {
	a := p.Addr()
	b := append(k[:0], prefixAddressBan, byte(a.BitLen()/8))
	if a.Is4() {
		v4 := a.As4()
		b = append(b, v4[:]...)
	} else {
		v6 := a.As16()
		b = append(b, v6[:]...)
	}
	return append(b, byte(p.Bits()))
}

// nameOf is the name in the key of an account.
func nameOf(key []byte) (storage.Name, error) {
	n, err := storage.FoldName(key[1:])
	if err != nil || string(n.Bytes()) != string(key[1:]) {
		return storage.Name{}, errKey
	}
	return n, nil
}

// familyOf is the family in the key of a device, behind what devices built.
func familyOf(key []byte, prefix int) (family [16]byte, err error) {
	if len(key) != prefix+len(family) {
		return family, errKey
	}
	copy(family[:], key[prefix:])
	return family, nil
}

// prefixOf is the range in the key of an address ban.
func prefixOf(key []byte) (netip.Prefix, error) {
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
func bounds(prefix byte) (lower, upper []byte) { return []byte{prefix}, []byte{prefix + 1} }

// boundsOfDevices are the same for n's devices. No byte of a name is the highest
// one, so the last can be raised.
func boundsOfDevices(n *storage.Name) (lower, upper []byte) {
	var k keyBuf
	lower = k.devices(n)
	upper = append([]byte(nil), lower...)
	upper[len(upper)-1]++
	return lower, upper
}

// metaKey is the key of one of the store's own entries.
func metaKey(what string) []byte { return append([]byte{prefixMeta}, what...) }

// Little-endian throughout, in one place.
var order = binary.LittleEndian
