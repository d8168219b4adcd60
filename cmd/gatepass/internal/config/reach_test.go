package config

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"gatepass/worlds"
)

// A gateway does not start with an address that clients cannot reach, whichever it is.
func TestConfig_Registration_RefusesWhatClientsCannotReach(t *testing.T) {
	const sound = "[gateway]\nid = 1\nname = 'A'\nlisten = '192.0.2.1:8085'\nnative-listen = '192.0.2.1:8185'\n"
	const route = "[[gateway.routes]]\nnetwork = '10.0.0.0/8'\n"
	for text, want := range map[string]string{
		"":                                 "",
		"address = '0.0.0.0:8085'":         "address: \"0.0.0.0:8085\": 0.0.0.0 stands for every address",
		"address = '[::]:8085'":            "stands for every address",
		"native-address = '0.0.0.0:8185'":  "native address: \"0.0.0.0:8185\"",
		"address = '192.0.2.1:0'":          "port in 1 to 65535",
		"address = '224.0.0.1:1'":          "multicast",
		"address = '2001:db8::1:8085'":     "brackets",
		route + "address = '0.0.0.0:8085'": "routes: 10.0.0.0/8: address",
		route + "address = '192.0.2.1:1'\nnative = '[::]:1'": "routes: 10.0.0.0/8: native address",
		"category = 38": "category: 38",
	} {
		c, err := mayLoad(t, sound+text, nil)
		if err == nil {
			_, err = c.Registration(1)
		}
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
}

// What dev tells its clients: what is advertised, else where it listens, else an
// address that this machine really has.
func TestConfig_Reachable(t *testing.T) {
	for grunt, want := range map[string]string{"192.0.2.7:3724": "192.0.2.7", "localhost:3724": "localhost", "[2001:db8::1]:1": "2001:db8::1"} {
		c := &Config{Grunt: grunt}
		if c.fitMachine(); c.Reachable() != want {
			t.Errorf("%s: %s", grunt, c.Reachable())
		}
	}
	for _, grunt := range []string{"0.0.0.0:3724", ":3724", "[::]:3724"} {
		c := &Config{Grunt: grunt}
		c.fitMachine()
		ip, err := netip.ParseAddr(c.Reachable())
		if err != nil || worlds.CheckIP(ip) != nil {
			t.Errorf("%s: %s, %v", grunt, c.Reachable(), err)
		}
		if own := ownAddress(); own.IsValid() && (ip != own || own.IsLoopback()) {
			t.Errorf("%s: %s, and this machine is %s", grunt, ip, own)
		}
		l, err := net.Listen("tcp", net.JoinHostPort(c.Reachable(), "0")) // only its own
		if err != nil {
			t.Fatal(err)
		}
		_ = l.Close()
		c.Advertise = "198.51.100.7:3724"
		if c.Reachable() != "198.51.100.7" {
			t.Errorf("advertised, and told %s", c.Reachable())
		}
	}
}
