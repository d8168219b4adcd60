package e2e

import (
	"net"
	"net/netip"
	"strings"
	"testing"
)

// ownIPv4 tells whether this machine has an IPv4 address that others can use.
func ownIPv4(t *testing.T, is string) (found, has bool) {
	t.Helper()
	all, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, each := range all {
		p, err := netip.ParsePrefix(each.String())
		if err != nil || !p.Addr().Is4() || !p.Addr().IsGlobalUnicast() {
			continue
		}
		found = true
		has = has || p.Addr().String() == is
	}
	return found, has
}

// toldHost is the host that clients are told for the only world.
func toldHost(t *testing.T, g *gatepass) string {
	t.Helper()
	p := &player{account: demo, edition: vanilla}
	defer p.leave()
	if err := p.login("127.0.0.1:" + port(t, g.grunt)); err != nil {
		t.Fatal(err)
	}
	var address string
	eventually(t, "the world is in the list", func() bool {
		list, err := p.realms()
		if err != nil {
			t.Fatal(err)
		}
		address = list[1].addr
		return len(list) == 1
	})
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return host
}

func port(t *testing.T, address string) string {
	t.Helper()
	_, p, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestDev_EveryAddress: dev that listens on every address tells clients one that this
// machine has, not loopback, so that remote clients come further than the list.
func TestDev_EveryAddress(t *testing.T) {
	g := start(t, setup{args: []string{"--config", writeFile(t, "empty.toml", ""), "--demo-worlds", "1", "--grunt", "0.0.0.0:0"}})
	host := toldHost(t, g)
	found, has := ownIPv4(t, host)
	switch {
	case found && !has:
		t.Errorf("clients are told %s, which is none of this machine's", host)
	case !found && (host != "127.0.0.1" || !strings.Contains(g.stderr.String(), "leads clients to their own machine")):
		t.Errorf("this machine has loopback only, clients are told %s, and the log says:\n%s", host, g.stderr)
	}
}

// TestDev_Advertise: behind a router clients are told what the operator says.
func TestDev_Advertise(t *testing.T) {
	g := start(t, setup{args: []string{"--config", writeFile(t, "empty.toml", ""), "--demo-worlds", "1", "--grunt", "0.0.0.0:0",
		"--advertise", "198.51.100.7:3724"}})
	if host := toldHost(t, g); host != "198.51.100.7" {
		t.Errorf("clients are told %s", host)
	}
	if !strings.Contains(g.stdout.String(), "set realmlist 198.51.100.7") {
		t.Errorf("it says:\n%s", g.stdout)
	}
}

// TestLogin_DoubtfulAddresses: what may be meant and is likely wrong is told in the log.
func TestLogin_DoubtfulAddresses(t *testing.T) {
	config := writeFile(t, "gatepass.toml", `
[[worlds]]
id = 7
name = "Seven"
address = "127.0.0.1:8085"
kind = "pve"
[[worlds]]
id = 8
name = "Eight"
address = "[2001:db8::1]:8085"
kind = "pve"
[[worlds]]
id = 9
name = "Nine"
address = "no-such-name.invalid:8085"
kind = "pve"
`)
	g := start(t, setup{args: []string{"--config", config, "--grunt", "0.0.0.0:0"}})
	for _, want := range []string{
		"127.0.0.1:8085 leads clients to their own machine", "cannot read the IPv6 address [2001:db8::1]:8085",
		"the name no-such-name.invalid cannot be resolved here",
	} {
		eventually(t, "the warning "+want, func() bool { return strings.Contains(g.stderr.String(), want) })
	}
}
