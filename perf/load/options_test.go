package load

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"gatepass/perf/load/players"
)

func TestLoginOptions_Defaults_AreValid(t *testing.T) {
	closed := LoginOptions{Clients: Clients{Accounts: players.MakeAccounts(1)}}
	closed.EnsureDefaults()
	if err := closed.Validate(); err != nil || closed.Concurrency != 32 || closed.Duration != 10*time.Second {
		t.Errorf("closed: %+v, %v", closed, err)
	}
	open := LoginOptions{Clients: Clients{Accounts: players.MakeAccounts(1)}, Rate: 1000, Count: 5}
	open.EnsureDefaults()
	if err := open.Validate(); err != nil || open.Concurrency != 4096 || open.Duration != 0 {
		t.Errorf("open: %+v, %v", open, err)
	}
	hold := HoldOptions{Clients: Clients{Accounts: players.MakeAccounts(1)}}
	hold.EnsureDefaults()
	if err := hold.Validate(); err != nil || hold.Connections != 15_000 {
		t.Errorf("hold: %+v, %v", hold, err)
	}
}

func TestLoginOptions_Validate_NamesEveryFault(t *testing.T) {
	o := LoginOptions{
		Clients:     Clients{Threads: 99, Sources: 500, Timeout: -1},
		Concurrency: -1, Rate: -1, Arrivals: "often", Warmup: -1, Count: 1, WrongPercent: 60, UnknownPercent: 60,
	}
	err := o.Validate()
	if !errors.Is(err, ErrOptions) {
		t.Fatalf("err = %v, want ErrOptions", err)
	}
	for _, word := range []string{
		"no accounts", "threads 99", "sources 500", "timeout", "concurrency -1", "rate -1", "often", "negative", "count 1", "60 %",
	} {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not speak of %q: %v", word, err)
		}
	}
}

func TestHoldOptions_Validate_NamesEveryFault(t *testing.T) {
	o := HoldOptions{Connections: -1, Rate: -1, Settle: -1}
	err := o.Validate()
	for _, word := range []string{"no accounts", "connections -1", "rate -1", "negative"} {
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not speak of %q: %v", word, err)
		}
	}
}

func TestClients_Sources_OnlyOnLoopback(t *testing.T) {
	c := Clients{Sources: 3}
	got := c.sources(netip.MustParseAddrPort("127.0.0.1:3724"))
	if len(got) != 3 || got[0] != netip.MustParseAddr("127.0.0.2") || got[2] != netip.MustParseAddr("127.0.0.4") {
		t.Errorf("sources = %v", got)
	}
	for _, far := range []string{"192.0.2.1:3724", "[::1]:3724"} {
		if got := c.sources(netip.MustParseAddrPort(far)); got != nil {
			t.Errorf("towards %s: %v, want the kernel's choice", far, got)
		}
	}
}
