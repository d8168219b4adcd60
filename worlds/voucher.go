package worlds

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"gatepass/codec"
)

// MaxHop is how often the key of one login can move. After that the key cannot move,
// and the player must log in again.
const MaxHop = 1 << 20

// VoucherKeySize is the size of the region's voucher key, in bytes.
const VoucherKeySize = 32

// Voucher proves that a login server has handed a key to a world: which world, and
// which stay of the key. The world gets it with the Commit. It shows the voucher when
// it announces the key and when it gives the key back. The first byte is a VoucherKind.
// The rest is a MAC over the kind and the stay under the region's voucher key, which
// only managers and login servers have. The zero Voucher proves nothing.
type Voucher [16]byte

// VoucherKind is the way in which a key came to a world.
type VoucherKind uint8

const (
	// VoucherClaimed: the world has claimed the account's key and may give it back.
	VoucherClaimed VoucherKind = iota + 1
	// VoucherPass: the key belongs to a pass for this world. A login server never
	// accepts it as the account's key.
	VoucherPass
)

// Kind returns the way in which the key came to the world.
func (v Voucher) Kind() VoucherKind { return VoucherKind(v[0]) }

// String returns v in hex digits. The world that v names may see it, and no other world
// can use it.
func (v Voucher) String() string { return hex.EncodeToString(v[:]) }

// Stay is one stay of an account's key at a node.
type Stay struct {
	Stamp Stamp
	// Hop is how many nodes had the key before this one.
	Hop uint32
	// Voucher is what a world received from the login server that handed the key over.
	Voucher Voucher
}

// Vouchers makes and checks vouchers. Without a key, or if nil, it makes none and
// accepts none. It is not safe for concurrent use.
type Vouchers struct {
	mac hash.Hash // nil without a key
	buf [sha256.Size]byte
}

// NewVouchers returns a Vouchers with a copy of the region's key. nil means no key yet.
func NewVouchers(key *Secret) *Vouchers {
	v := &Vouchers{}
	if key != nil {
		v.SetKey(key)
	}
	return v
}

// SetKey copies the region's key. It ignores a key whose size is not VoucherKeySize.
func (v *Vouchers) SetKey(key *Secret) {
	if len(key.Bytes()) == VoucherKeySize {
		v.mac = hmac.New(sha256.New, key.Bytes())
	}
}

// Ready reports whether there is a key.
func (v *Vouchers) Ready() bool { return v != nil && v.mac != nil }

// Make returns the voucher for a stay of an account's key at a world. Without a key it
// returns zero. It ignores the voucher in stay.
func (v *Vouchers) Make(kind VoucherKind, world Node, account codec.Name, stay Stay) (made Voucher) {
	if !v.Ready() {
		return made
	}
	made[0] = byte(kind)
	v.mac.Reset()
	b := append(v.buf[:0], made[0])
	b = append(b, account[:]...)
	b = binary.BigEndian.AppendUint64(b, uint64(stay.Stamp))
	b = binary.BigEndian.AppendUint32(b, stay.Hop)
	v.mac.Write(b) // never returns an error
	v.mac.Write([]byte(world))
	copy(made[1:], v.mac.Sum(v.buf[:0]))
	return made
}

// Right reports whether a world's stay has the required voucher.
func (v *Vouchers) Right(world Node, account codec.Name, stay Stay) bool {
	kind := stay.Voucher.Kind()
	if !v.Ready() || kind != VoucherClaimed && kind != VoucherPass {
		return false
	}
	want := v.Make(kind, world, account, stay)
	return subtle.ConstantTimeCompare(want[:], stay.Voucher[:]) == 1
}
