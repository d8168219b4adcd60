package dns

import (
	"fmt"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// BenchmarkRespond measures one answer, from the question's packet to the reply's packet.
func BenchmarkRespond(b *testing.B) {
	for _, n := range []int{4, 50, 1000} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV} {
			b.Run(fmt.Sprintf("logins=%d/type=%s", n, dns.TypeToString[qtype]), func(b *testing.B) {
				b.ReportAllocs()
				z := mustZone(b, nil)
				s := seeded(mustTable(b, z, fleet(n)...), 1)
				name := map[uint16]string{dns.TypeSRV: "_gatepass._tcp." + z.origin}[qtype]
				if name == "" {
					name = z.origin
				}
				q := query(name, qtype)
				q.SetEdns0(1232, false)
				packet, buf := mustPack(b, q), make([]byte, maxQuery)
				want := OutcomeAnswer
				if qtype == dns.TypeAAAA {
					want = OutcomeNoData
				}
				for b.Loop() {
					if r := z.respond(packet, carrier{udp: true}, s, buf); r.outcome != want || r.truncated {
						b.Fatal(r.outcome)
					}
				}
			})
		}
	}
}

// BenchmarkLimiter measures one question in the limiter, each from another network.
func BenchmarkLimiter(b *testing.B) {
	l, n := testLimiter(DefaultRateLimit, 2*DefaultRateLimit), uint64(0)
	for b.Loop() {
		if n++; l.take(n&0xffff+1, testNow+time.Duration(n)*time.Microsecond) != verdictSend {
			b.Fatal("limited")
		}
	}
}

// BenchmarkBeat measures one heartbeat.
func BenchmarkBeat(b *testing.B) {
	for _, n := range []int{4, 50, 1000} {
		b.Run(fmt.Sprintf("logins=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			s, err := New(testOptions())
			if err != nil {
				b.Fatal(err)
			}
			beats, i := fleet(n), 0
			for b.Loop() {
				s.Beat(beats[i%n])
				i++
			}
		})
	}
}

// BenchmarkServer_UDP measures consecutive questions over loopback, including the client's own
// cost.
func BenchmarkServer_UDP(b *testing.B) {
	s := mustStart(b, nil)
	for _, beat := range fleet(4) {
		s.Beat(beat)
	}
	c, err := dns.Dial("udp", s.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer c.Close()
	q := query("login.example.org.", dns.TypeA)
	for b.Loop() {
		if err := c.WriteMsg(q); err != nil {
			b.Fatal(err)
		}
		if m, err := c.ReadMsg(); err != nil || len(m.Answer) != 4 {
			b.Fatal(err, m)
		}
	}
}
