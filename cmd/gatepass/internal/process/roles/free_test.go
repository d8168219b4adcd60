package roles

import (
	"net"
	"testing"
)

func TestFreeOr(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	for address, want := range map[string]string{
		"127.0.0.1:0":         "127.0.0.1:0", // the listener picks, and nobody takes it before
		taken.Addr().String(): "127.0.0.1:0",
		"no port":             "no port",
	} {
		if got := freeOr(address); got != want {
			t.Errorf("freeOr(%q) = %q, want %q", address, got, want)
		}
	}
	if got := freeNow(taken.Addr().String()); got == taken.Addr().String() || got == "127.0.0.1:0" {
		t.Errorf("freeNow(%s) = %s, want another port", taken.Addr(), got)
	}
}
