package worlds

import (
	"bytes"
	"fmt"
	"testing"
)

// testVouchers returns the vouchers of a test's region.
func testVouchers() *Vouchers { return vouchersOf(1) }

// vouchersOf returns the vouchers of a region with that key.
func vouchersOf(key byte) *Vouchers {
	secret := NewSecret(bytes.Repeat([]byte{key}, VoucherKeySize))
	return NewVouchers(&secret)
}

// A voucher is valid for one stay. Any change of the voucher or of the stay makes it
// invalid.
func TestVouchers_AreGoodForOneStay(t *testing.T) {
	v := testVouchers()
	stay := Stay{Stamp: 5, Hop: 1}
	stay.Voucher = v.Make(VoucherClaimed, "world.7", nthName(1), stay)
	if !v.Right("world.7", nthName(1), stay) {
		t.Fatal("a right voucher is wrong")
	}
	for i := range stay.Voucher {
		for bit := range 8 {
			wrong := stay
			wrong.Voucher[i] ^= 1 << bit
			if v.Right("world.7", nthName(1), wrong) {
				t.Errorf("it is right with bit %d of byte %d turned", bit, i)
			}
		}
	}
	later, hopped := stay, stay
	later.Stamp++
	hopped.Hop++
	for what, right := range map[string]bool{
		"another world":      v.Right("world.8", nthName(1), stay),
		"a longer name":      v.Right("world.77", nthName(1), stay),
		"another account":    v.Right("world.7", nthName(2), stay),
		"another stamp":      v.Right("world.7", nthName(1), later),
		"another hop":        v.Right("world.7", nthName(1), hopped),
		"another region":     vouchersOf(2).Right("world.7", nthName(1), stay),
		"no voucher":         v.Right("world.7", nthName(1), Stay{Stamp: 5, Hop: 1}),
		"nobody's key":       NewVouchers(nil).Right("world.7", nthName(1), stay),
		"no vouchers at all": (*Vouchers)(nil).Right("world.7", nthName(1), stay),
	} {
		if right {
			t.Errorf("it is right for %s", what)
		}
	}
}

func TestVouchers_WithoutAKeyMakeNone(t *testing.T) {
	var none *Vouchers
	if none.Ready() || none.Make(VoucherPass, "world.7", nthName(1), Stay{}) != (Voucher{}) {
		t.Error("there is a voucher of nobody")
	}
	v := NewVouchers(nil)
	short := NewSecret(make([]byte, VoucherKeySize-1))
	if v.SetKey(&short); v.Ready() {
		t.Error("a short key was taken")
	}
	whole := NewSecret(make([]byte, VoucherKeySize))
	if v.SetKey(&whole); !v.Ready() {
		t.Error("a right key was not taken")
	}
	if v.SetKey(&Secret{}); !v.Ready() {
		t.Error("a snapshot without a key has taken it away")
	}
}

func TestVoucher_TellsItsKind(t *testing.T) {
	v := testVouchers().Make(VoucherPass, "world.7", nthName(1), Stay{Stamp: 1})
	if v.Kind() != VoucherPass || fmt.Sprint(v)[:2] != "02" || len(fmt.Sprint(v)) != 32 {
		t.Errorf("%v is of kind %d", v, v.Kind())
	}
}

func BenchmarkVouchers_Right(b *testing.B) {
	v := testVouchers()
	stay := Stay{Stamp: 5, Hop: 1}
	stay.Voucher = v.Make(VoucherClaimed, "world.7", nthName(1), stay)
	b.ReportAllocs()
	for b.Loop() {
		if !v.Right("world.7", nthName(1), stay) {
			b.Fatal("wrong")
		}
	}
}
