package dns

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
	"go.uber.org/goleak"

	"gatepass/worlds"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	testNow    = 1_800_000_000 * time.Second
	testSerial = 1_800_000_000
)

// testOptions returns the options of a zone with every kind of name.
func testOptions() Options {
	return Options{
		Zone: "login.example.org.", Listen: "127.0.0.1:0",
		NS:    []string{"ns1.login.example.org.", "ns.example.net"},
		Glue:  map[string][]netip.Addr{"ns1.login.example.org": {netip.MustParseAddr("192.0.2.53"), netip.MustParseAddr("2001:db8::53")}},
		Names: []string{"play", "eu.region"},
		Clock: func() time.Duration { return testNow },
	}
}

func mustZone(t testing.TB, change func(*Options)) *zone {
	t.Helper()
	o := testOptions()
	if change != nil {
		change(&o)
	}
	o.EnsureDefaults()
	z, err := newZone(&o)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// beat returns a heartbeat of a login server with room for that many clients.
func beat(name, address string, free uint32) worlds.LoginBeat {
	return worlds.LoginBeat{Node: worlds.LoginNode(name), Address: address, Conns: 10, MaxConns: 10 + free}
}

func draining(b worlds.LoginBeat) worlds.LoginBeat {
	b.Draining = true
	return b
}

// mustTable returns the table after heartbeats that were all received at testNow.
func mustTable(t testing.TB, z *zone, beats ...worlds.LoginBeat) (logins []login) {
	t.Helper()
	for i := range beats {
		l, err := z.newLogin(&beats[i], testNow)
		if err != nil {
			t.Fatal(err)
		}
		if logins, _, err = z.with(logins, l); err != nil {
			t.Fatal(err)
		}
	}
	return logins
}

// firstOf always draws the first server.
func firstOf(logins []login) *source {
	return &source{logins: logins, now: testNow, serial: testSerial, random: func() uint64 { return 0 }}
}

func seeded(logins []login, seed uint64) *source {
	return &source{logins: logins, now: testNow, serial: testSerial, random: rand.New(rand.NewPCG(seed, 1)).Uint64}
}

// fleet returns n login servers with IPv4 addresses and room for 1, 2, … clients.
func fleet(n int) (beats []worlds.LoginBeat) {
	for i := range n {
		beats = append(beats, beat(fmt.Sprintf("l%03d", i), fmt.Sprintf("10.0.%d.%d:3724", i/250, i%250+1), uint32(i+1)))
	}
	return beats
}

// text returns a message as lines: the flags, then one line for each record with its section.
func text(m *dns.Msg) string {
	var b strings.Builder
	b.WriteString(dns.RcodeToString[m.Rcode])
	if m.Authoritative {
		b.WriteString(" aa")
	}
	if m.Truncated {
		b.WriteString(" tc")
	}
	for _, section := range []struct {
		name    string
		records []dns.RR
	}{{"", m.Answer}, {"authority ", m.Ns}, {"additional ", m.Extra}} {
		for _, record := range section.records {
			if record.Header().Rrtype != dns.TypeOPT {
				b.WriteString("\n" + section.name + strings.ReplaceAll(record.String(), "\t", " "))
			}
		}
	}
	return b.String()
}

func question(name string, qtype uint16) dns.Question {
	return dns.Question{Name: name, Qtype: qtype, Qclass: dns.ClassINET}
}

// mustPack returns a query in wire format.
func mustPack(t testing.TB, m *dns.Msg) []byte {
	t.Helper()
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func query(name string, qtype uint16) *dns.Msg { return new(dns.Msg).SetQuestion(name, qtype) }

// mustUnpack reads a reply.
func mustUnpack(t testing.TB, b []byte) *dns.Msg {
	t.Helper()
	m := new(dns.Msg)
	if err := m.Unpack(b); err != nil {
		t.Fatalf("%x: %v", b, err)
	}
	return m
}
