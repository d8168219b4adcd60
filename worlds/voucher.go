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

// MaxHop is how often the key of one login may move. A key that has moved so often
// goes nowhere any more, and its player logs in again.
const MaxHop = 1 << 20

// VoucherKeySize is the size of the region's voucher key, in bytes.
const VoucherKeySize = 32

// Voucher proves that a login server has handed a key over to a world: which world,
// and which stay of the key there. A world gets it with the commit and shows it when
// it announces the key, and when it gives the key back. The first byte is a
// VoucherKind; the rest is a MAC over the kind and the stay under the region's
// voucher key, which only managers and login servers have. The zero Voucher proves
// nothing.
type Voucher [16]byte

// VoucherKind says how a key came to a world.
type VoucherKind uint8

const (
	// VoucherClaimed: the world has claimed the account's key, and may give it back.
	VoucherClaimed VoucherKind = iota + 1
	// VoucherPass: the key is that of a pass, made for this world. A login server
	// never takes it for the account's key.
	VoucherPass
)

// Kind is how the key came to the world.
func (v Voucher) Kind() VoucherKind { return VoucherKind(v[0]) }

// String is v in hex digits. It is no secret towards the world that it names, and
// worth nothing in the hands of another.
func (v Voucher) String() string { return hex.EncodeToString(v[:]) }

// Stay is one stay of an account's key at a node.
type Stay struct {
	Stamp Stamp
	// Hop is how many nodes had the key before.
	Hop uint32
	// Voucher is what a world has of the login server that handed the key over.
	Voucher Voucher
}

// Vouchers makes and checks vouchers. One without a key, or nil, makes none and finds
// none right. It is unsafe for concurrent use.
type Vouchers struct {
	mac hash.Hash // nil without a key
	buf [sha256.Size]byte
}

// NewVouchers makes one with the region's key, which is copied; nil for none yet.
func NewVouchers(key *Secret) *Vouchers {
	v := &Vouchers{}
	if key != nil {
		v.SetKey(key)
	}
	return v
}

// SetKey takes the region's key, which is copied. One of another size than
// VoucherKeySize is not taken.
func (v *Vouchers) SetKey(key *Secret) {
	if len(key.Bytes()) == VoucherKeySize {
		v.mac = hmac.New(sha256.New, key.Bytes())
	}
}

// Ready tells whether there is a key.
func (v *Vouchers) Ready() bool { return v != nil && v.mac != nil }

// Make vouches for a stay of an account's key at a world; zero without a key. The
// voucher in stay is not looked at.
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
	v.mac.Write(b) // gives no error
	v.mac.Write([]byte(world))
	copy(made[1:], v.mac.Sum(v.buf[:0]))
	return made
}

// Right tells whether a world's stay has the voucher that it needs.
func (v *Vouchers) Right(world Node, account codec.Name, stay Stay) bool {
	kind := stay.Voucher.Kind()
	if !v.Ready() || kind != VoucherClaimed && kind != VoucherPass {
		return false
	}
	want := v.Make(kind, world, account, stay)
	return subtle.ConstantTimeCompare(want[:], stay.Voucher[:]) == 1
}
