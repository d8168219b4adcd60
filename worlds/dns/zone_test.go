package dns

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

func TestNew_TellsFaults(t *testing.T) {
	if _, err := New(testOptions()); err != nil {
		t.Fatal(err)
	}
	for want, spoil := range map[string]func(*Options){
		"zone:":                     func(o *Options) { o.Zone = "" },
		`zone: "."`:                 func(o *Options) { o.Zone = "." },
		`zone: "a b.org"`:           func(o *Options) { o.Zone = "a b.org" },
		"listen:":                   func(o *Options) { o.Listen = "53" },
		"ttl:":                      func(o *Options) { o.TTL = 1500 * time.Millisecond },
		"ns: no name":               func(o *Options) { o.NS = nil },
		`"ns..org"`:                 func(o *Options) { o.NS = []string{"ns..org"} },
		"has no address":            func(o *Options) { o.Glue = nil },
		"no name server inside":     func(o *Options) { o.Glue["x.login.example.org"] = []netip.Addr{netip.IPv6Loopback()} },
		"hostmaster:":               func(o *Options) { o.Hostmaster = "nobody" },
		`hostmaster: "a b@x.org"`:   func(o *Options) { o.Hostmaster = "a b@x.org" },
		"used twice":                func(o *Options) { o.Names = []string{"eu", "EU"} },
		"ns1.login.example.org. is": func(o *Options) { o.Names = []string{"ns1"} },
		"not under":                 func(o *Options) { o.Names = []string{"eu.example.org."} },
		"too long":                  func(o *Options) { o.Names = []string{strings.Repeat("a.", 130) + "b"} },
		"forget after:":             func(o *Options) { o.ForgetAfter = time.Millisecond },
		"answers:":                  func(o *Options) { o.MaxAnswers = 65 },
		"rate burst:":               func(o *Options) { o.RateBurst = -1 },
		"connections:":              func(o *Options) { o.MaxConns = -1 },
		"idle timeout:":             func(o *Options) { o.IdleTimeout = -1 },
	} {
		o := testOptions()
		spoil(&o)
		if _, err := New(o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("want %s: %v", want, err)
		}
	}
}

func TestOptions_Validate_AllFaultsAtOnce(t *testing.T) {
	err := (&Options{}).Validate()
	if err == nil || strings.Count(err.Error(), "\n") != 6 {
		t.Errorf("%v", err)
	}
}

func TestZone_Mailbox(t *testing.T) {
	for address, want := range map[string]string{
		"":                     "hostmaster.login.example.org.",
		"dns@Example.org":      "dns.example.org.",
		"john.doe@example.org": `john\.doe.example.org.`,
	} {
		if z := mustZone(t, func(o *Options) { o.Hostmaster = address }); z.mailbox != want {
			t.Errorf("%q became %q, want %q", address, z.mailbox, want)
		}
	}
}

func TestParseNS(t *testing.T) {
	names, glue, err := ParseNS([]string{"ns1.login.example.org=192.0.2.53,2001:db8::53", "ns.example.net"})
	if err != nil || len(names) != 2 || len(glue) != 1 || len(glue["ns1.login.example.org"]) != 2 {
		t.Fatal(names, glue, err)
	}
	z := mustZone(t, func(o *Options) { o.NS, o.Glue = names, glue })
	if len(z.ns) != 2 || len(z.glue["ns1.login.example.org."]) != 2 {
		t.Error(z.ns, z.glue)
	}
	for _, bad := range []string{"ns1=", "ns1=host", "ns1=192.0.2.1,", "ns1=fe80::1%eth0"} {
		if _, _, err := ParseNS([]string{bad}); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}
