package dns

import (
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"

	"gatepass/worlds"
)

const testSOA = "\nauthority login.example.org. 5 IN SOA ns1.login.example.org. hostmaster.login.example.org. 1800000000 3600 600 86400 5"

// Questions to a zone with two servers with room, one of them over IPv6, one that drains and
// one that is full.
func TestAnswer(t *testing.T) {
	z := mustZone(t, nil)
	logins := mustTable(t, z,
		beat("eu1", "192.0.2.1:3724", 100), beat("eu2", "192.0.2.2:3725", 300), beat("six", "[2001:db8::1]:3724", 50),
		draining(beat("gone", "192.0.2.9:3724", 500)), beat("full", "192.0.2.8:3724", 0),
	)
	for _, c := range []struct{ ask, want string }{
		{"login.example.org. A", `NOERROR aa
login.example.org. 5 IN A 192.0.2.1
login.example.org. 5 IN A 192.0.2.2`},
		{"login.example.org. AAAA", `NOERROR aa
login.example.org. 5 IN AAAA 2001:db8::1`},
		{"LoGiN.eXaMpLe.OrG. AAAA", `NOERROR aa
LoGiN.eXaMpLe.OrG. 5 IN AAAA 2001:db8::1`},
		{"play.login.example.org. AAAA", `NOERROR aa
play.login.example.org. 5 IN AAAA 2001:db8::1`},
		{"eu.region.login.example.org. AAAA", `NOERROR aa
eu.region.login.example.org. 5 IN AAAA 2001:db8::1`},
		{"_gatepass._tcp.login.example.org. SRV", `NOERROR aa
_gatepass._tcp.login.example.org. 5 IN SRV 0 100 3724 eu1.login.example.org.
_gatepass._tcp.login.example.org. 5 IN SRV 0 300 3725 eu2.login.example.org.
_gatepass._tcp.login.example.org. 5 IN SRV 0 50 3724 six.login.example.org.
additional eu1.login.example.org. 5 IN A 192.0.2.1
additional eu2.login.example.org. 5 IN A 192.0.2.2
additional six.login.example.org. 5 IN AAAA 2001:db8::1`},
		{"Eu1.login.example.org. A", `NOERROR aa
Eu1.login.example.org. 5 IN A 192.0.2.1`},
		{"full.login.example.org. A", `NOERROR aa
full.login.example.org. 5 IN A 192.0.2.8`},
		{"eu1.login.example.org. AAAA", "NOERROR aa" + testSOA},
		{"gone.login.example.org. A", "NOERROR aa" + testSOA},
		{"eu1.login.example.org. SRV", "NOERROR aa" + testSOA},
		{"login.example.org. SOA", "NOERROR aa" + strings.Replace(testSOA, "authority ", "", 1)},
		{"login.example.org. NS", `NOERROR aa
login.example.org. 3600 IN NS ns1.login.example.org.
login.example.org. 3600 IN NS ns.example.net.
additional ns1.login.example.org. 3600 IN A 192.0.2.53
additional ns1.login.example.org. 3600 IN AAAA 2001:db8::53`},
		{"ns1.login.example.org. A", `NOERROR aa
ns1.login.example.org. 3600 IN A 192.0.2.53`},
		{"ns1.login.example.org. AAAA", `NOERROR aa
ns1.login.example.org. 3600 IN AAAA 2001:db8::53`},
		{"login.example.org. MX", "NOERROR aa" + testSOA},
		{"login.example.org. TXT", "NOERROR aa" + testSOA},
		{"login.example.org. DNSKEY", "NOERROR aa" + testSOA},
		{"login.example.org. SRV", "NOERROR aa" + testSOA},
		{"play.login.example.org. NS", "NOERROR aa" + testSOA},
		{"play.login.example.org. SOA", "NOERROR aa" + testSOA},
		{"_gatepass._tcp.login.example.org. A", "NOERROR aa" + testSOA},
		{"_tcp.login.example.org. SRV", "NOERROR aa" + testSOA}, // RFC 8020
		{"region.login.example.org. A", "NOERROR aa" + testSOA},
		{"region.LOGIN.example.org. A", "NOERROR aa" + strings.Replace(testSOA, "authority login", "authority LOGIN", 1)},
		{"login.example.org. ANY", "NOERROR aa\n" + `login.example.org. 5 IN HINFO "RFC8482" ""`},
		{"gone.login.example.org. ANY", "NOERROR aa\n" + `gone.login.example.org. 5 IN HINFO "RFC8482" ""`},
		{"nobody.login.example.org. ANY", "NXDOMAIN aa" + testSOA},
		{"nobody.login.example.org. A", "NXDOMAIN aa" + testSOA},
		{"x.eu1.login.example.org. A", "NXDOMAIN aa" + testSOA},
		{`x\.login.login.example.org. A`, "NXDOMAIN aa" + testSOA},
		{`x\.login.example.org. A`, "REFUSED"}, // the dot is part of its label
		{"example.org. A", "REFUSED"},
		{"xlogin.example.org. A", "REFUSED"},
		{"www.example.com. A", "REFUSED"},
		{". NS", "REFUSED"},
		{"login.example.org. AXFR", "REFUSED"},
		{"login.example.org. IXFR", "REFUSED"},
		{"login.example.org. MAILB", "REFUSED"},
	} {
		name, qtype, _ := strings.Cut(c.ask, " ")
		if got := text(z.answer(question(name, dns.StringToType[qtype]), firstOf(logins))); got != c.want {
			t.Errorf("%s\ngot  %s\nwant %s", c.ask, got, c.want)
		}
	}
}

// Without servers there is no data, but the names still exist.
func TestAnswer_NobodyHealthy(t *testing.T) {
	z := mustZone(t, nil)
	silent := firstOf(mustTable(t, z, beat("eu1", "192.0.2.1:3724", 100)))
	silent.now = testNow + z.forgetAfter + time.Millisecond
	for name, s := range map[string]*source{
		"never":    firstOf(nil),
		"draining": firstOf(mustTable(t, z, draining(beat("eu1", "192.0.2.1:3724", 100)))),
		"silent":   silent,
	} {
		for _, ask := range []string{"login.example.org. A", "play.login.example.org. AAAA", "_gatepass._tcp.login.example.org. SRV"} {
			host, qtype, _ := strings.Cut(ask, " ")
			m := z.answer(question(host, dns.StringToType[qtype]), s)
			if m.Rcode != dns.RcodeSuccess || len(m.Answer) != 0 || len(m.Ns) != 1 || len(m.Extra) != 0 {
				t.Errorf("%s: %s: %s", name, ask, text(m))
			}
		}
	}
}

func TestAnswer_SilentLeaveAfterTheLimit(t *testing.T) {
	z := mustZone(t, nil)
	s := firstOf(mustTable(t, z, beat("eu1", "192.0.2.1:3724", 100)))
	for after, want := range map[time.Duration]int{0: 1, z.forgetAfter: 1, z.forgetAfter + 1: 0} {
		s.now = testNow + after
		if got := len(z.answer(question(z.origin, dns.TypeA), s).Answer); got != want {
			t.Errorf("after %v: %d records, want %d", after, got, want)
		}
	}
}

// A server that drains is removed by the heartbeat that says so, and comes back with the first
// heartbeat that does not.
func TestAnswer_DrainingLeaveAtOnce(t *testing.T) {
	z := mustZone(t, nil)
	there, gone := beat("eu1", "192.0.2.1:3724", 100), draining(beat("eu1", "192.0.2.1:3724", 100))
	for i := range 3 {
		beats := []string{"there", "gone", "there"}[i]
		logins := mustTable(t, z, append([]worlds.LoginBeat{there, gone, there}[:i+1:i+1], beat("eu2", "192.0.2.2:3724", 1))...)
		m := z.answer(question(z.origin, dns.TypeA), firstOf(logins))
		if want := map[string]int{"there": 2, "gone": 1}[beats]; len(m.Answer) != want {
			t.Errorf("%d: %s", i, text(m))
		}
	}
}

// Full servers are named only if there is no other.
func TestAnswer_FullOnesOnlyWhenAllAre(t *testing.T) {
	z := mustZone(t, nil)
	full1, full2 := beat("full1", "192.0.2.1:3724", 0), beat("full2", "192.0.2.2:3724", 0)
	for want, logins := range map[int][]login{
		2: mustTable(t, z, full1, full2),
		1: mustTable(t, z, full1, beat("room", "192.0.2.3:3724", 1), full2),
	} {
		m := z.answer(question(z.origin, dns.TypeA), firstOf(logins))
		if len(m.Answer) != want {
			t.Errorf("want %d: %s", want, text(m))
		}
	}
	over := beat("over", "192.0.2.4:3724", 0)
	over.Conns += 5
	if l := mustTable(t, z, over)[0]; l.free != 0 {
		t.Errorf("more connections than allowed leave room for %d", l.free)
	}
}

// Two servers behind one address are one A record, and two services.
func TestAnswer_OneAddressTwice(t *testing.T) {
	z := mustZone(t, nil)
	logins := mustTable(t, z, beat("a", "192.0.2.1:3724", 1), beat("b", "192.0.2.1:3725", 1), beat("c", "[::ffff:192.0.2.1]:3726", 1))
	if m := z.answer(question(z.origin, dns.TypeA), firstOf(logins)); len(m.Answer) != 1 {
		t.Error(text(m))
	}
	if m := z.answer(question("_gatepass._tcp."+z.origin, dns.TypeSRV), firstOf(logins)); len(m.Answer) != 3 {
		t.Error(text(m))
	}
}

func TestAnswer_AtMostMaxAnswers(t *testing.T) {
	z := mustZone(t, nil)
	s := seeded(mustTable(t, z, fleet(100)...), 1)
	for qtype, name := range map[uint16]string{dns.TypeA: z.origin, dns.TypeSRV: "_gatepass._tcp." + z.origin} {
		seen := map[string]bool{}
		for _, record := range z.answer(question(name, qtype), s).Answer {
			seen[record.String()] = true
		}
		if len(seen) != DefaultMaxAnswers {
			t.Errorf("%s: %d different records", dns.TypeToString[qtype], len(seen))
		}
	}
}
