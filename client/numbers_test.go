package client

import (
	"strings"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

// spoken brings a name of the contract (RESULT_BAD_PASS) to how ours prints.
func spoken(name, prefix string) string {
	return strings.ToLower(strings.ReplaceAll(strings.TrimPrefix(name, prefix), "_", "-"))
}

// The contract's numbers are taken over as they are.
func TestNumbers_AreTheContracts(t *testing.T) {
	for n, name := range pb.Result_name {
		if got := resultOf(pb.Result(n)); n > 0 && got.String() != spoken(name, "RESULT_") {
			t.Errorf("%s is %v", name, got)
		}
	}
	for n, name := range pb.SelectRefused_Reason_name {
		if got := codec.SelectReason(octet(pb.SelectRefused_Reason(n))); n > 0 && got.String() != spoken(name, "REASON_") {
			t.Errorf("%s is %v", name, got)
		}
	}
	for n, name := range pb.World_Kind_name {
		if got := Kind(octet(pb.World_Kind(n))); got.String() != spoken(name, "KIND_") {
			t.Errorf("%s is %v", name, got)
		}
	}
	for n, name := range pb.World_Status_name {
		if got := Status(octet(pb.World_Status(n))); n > 0 && got.String() != spoken(name, "STATUS_") {
			t.Errorf("%s is %v", name, got)
		}
	}
}

// What was added to the contract later is unknown, and nothing else.
func TestNumbers_UnknownStayUnknown(t *testing.T) {
	for _, n := range []int32{-1, 0, 99, 256 + 1, 1 << 30} {
		if r := resultOf(pb.Result(n)); r != 99 && r < codec.ResultCount || forGood(r) {
			t.Errorf("result %d is %v", n, r)
		}
	}
}

func TestBackoff_DoublesUpToMax(t *testing.T) {
	b := Backoff{Min: time.Second, Max: 10 * time.Second}
	for tries, want := range []time.Duration{1, 2, 4, 8, 10, 10} {
		if got := b.bound(tries); got != want*time.Second {
			t.Errorf("after %d tries %v", tries, got)
		}
	}
	long := Backoff{Min: 1 << 61, Max: 1<<63 - 1}
	if got := long.bound(1 << 20); got != long.Max {
		t.Errorf("it ran over: %v", got)
	}
}

func TestDeviceName_IsCutBetweenCharacters(t *testing.T) {
	for _, name := range []string{"", "short", strings.Repeat("x", 64), "x" + strings.Repeat("ä", 40), strings.Repeat("\xff", 40)} {
		got := deviceName(name)
		if len(got) > codec.MaxDeviceName || strings.ToValidUTF8(got, "") != got || len(name) <= 64 && !strings.Contains(name, "\xff") && got != name {
			t.Errorf("%q became %q", name, got)
		}
	}
}

func TestLink_BoundsFrames(t *testing.T) {
	l := &link{}
	for _, c := range []struct {
		size       uint32
		sealed, ok bool
	}{
		{0, false, false}, {1, false, true}, {native.MaxServerBody, false, true}, {native.MaxServerBody + 1, false, false},
		{15, true, false}, {16, true, true}, {native.MaxServerBody + 16, true, true}, {native.MaxServerBody + 17, true, false},
		{1<<32 - 1, true, false},
	} {
		l.sealed = c.sealed
		if _, err := l.bound(c.size); (err == nil) != c.ok {
			t.Errorf("%+v gave %v", c, err)
		}
	}
}
