package dns

import (
	"encoding/hex"
	"testing"

	"github.com/miekg/dns"
)

// raw returns a packet of a header and the bytes after it.
func raw(t testing.TB, digits string) []byte {
	t.Helper()
	b, err := hex.DecodeString(digits)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const (
	// hexQuestion is "login.example.org. A IN".
	hexQuestion = "056c6f67696e" + "076578616d706c65" + "036f7267" + "00" + "0001" + "0001"
	hexOPT      = "00" + "0029" + "04d0" + "00000000" + "0000"
)

// A packet that is no query gets no reply or a bare header, which is never longer than the
// packet.
func TestRespond_Malformed(t *testing.T) {
	z := mustZone(t, nil)
	s := firstOf(mustTable(t, z, fleet(3)...))
	for name, c := range map[string]struct{ packet, want string }{
		"nothing":                 {"", ""},
		"half a header":           {"123401000001", ""},
		"a reply":                 {"1234" + "8100" + "0001000000000000" + hexQuestion, ""},
		"a reply, bare":           {"1234" + "8100" + "0000000000000000", ""},
		"no question":             {"1234" + "0100" + "0000000000000000", "123481010000000000000000"},
		"question missing":        {"1234" + "0100" + "0001000000000000", "123481010000000000000000"},
		"two questions":           {"1234" + "0100" + "0002000000000000" + hexQuestion + hexQuestion, "123481010000000000000000"},
		"answers in a query":      {"1234" + "0000" + "0001000100000000" + hexQuestion, "123480010000000000000000"},
		"name goes on":            {"1234" + "0000" + "0001000000000000" + "3f", "123480010000000000000000"},
		"pointer to itself":       {"1234" + "0000" + "0001000000000000" + "c00c" + "00010001", "123480010000000000000000"},
		"no class":                {"1234" + "0000" + "0001000000000000" + hexQuestion[:len(hexQuestion)-4], "123480010000000000000000"},
		"no type":                 {"1234" + "0000" + "0001000000000000" + hexQuestion[:len(hexQuestion)-8], "123480010000000000000000"},
		"OPT asked for":           {"1234" + "0000" + "0001000000000000" + hexQuestion[:len(hexQuestion)-8] + "00290001", "123480010000000000000000"},
		"OPT missing":             {"1234" + "0000" + "0001000000000001" + hexQuestion, "123480010000000000000000"},
		"OPT cut":                 {"1234" + "0000" + "0001000000000001" + hexQuestion + hexOPT[:10], "123480010000000000000000"},
		"two OPTs":                {"1234" + "0000" + "0001000000000002" + hexQuestion + hexOPT + hexOPT, "123480010000000000000000"},
		"OPT with a name":         {"1234" + "0000" + "0001000000000001" + hexQuestion + "0161" + hexOPT, "123480010000000000000000"},
		"many additional records": {"1234" + "0000" + "0001000000000003" + hexQuestion + hexOPT, "123480010000000000000000"},
		"update":                  {"1234" + "2800" + "0001000000000000" + hexQuestion, "1234a8040000000000000000"},
		"notify":                  {"1234" + "2400" + "0001000000000000" + hexQuestion, "1234a0040000000000000000"},
		"status":                  {"1234" + "1100" + "0000000000000000", "123491040000000000000000"},
		"opcode 15":               {"1234" + "7900" + "0001000000000000" + hexQuestion, "1234f9040000000000000000"},
	} {
		r := z.respond(raw(t, c.packet), carrier{udp: true}, s, nil)
		if got := hex.EncodeToString(r.bytes); got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
}

// A header has the flags of an authoritative server without recursion, and the question is
// returned as it was written (0x20).
func TestRespond_Header(t *testing.T) {
	z := mustZone(t, nil)
	s := firstOf(mustTable(t, z, fleet(1)...))
	for _, rd := range []bool{true, false} {
		q := query("lOgIn.ExAmPlE.oRg.", dns.TypeA)
		q.RecursionDesired, q.CheckingDisabled, q.AuthenticatedData = rd, true, true
		m := mustUnpack(t, z.respond(mustPack(t, q), carrier{udp: true}, s, nil).bytes)
		want := dns.MsgHdr{Id: q.Id, Response: true, Authoritative: true, RecursionDesired: rd}
		if m.MsgHdr != want || len(m.Question) != 1 || m.Question[0] != q.Question[0] || m.IsEdns0() != nil {
			t.Errorf("rd %v: %v", rd, m)
		}
		if len(m.Answer) != 1 || m.Answer[0].Header().Name != "lOgIn.ExAmPlE.oRg." {
			t.Errorf("rd %v: %v", rd, m)
		}
	}
}

func TestRespond_OtherClasses(t *testing.T) {
	z := mustZone(t, nil)
	for _, class := range []uint16{dns.ClassCHAOS, dns.ClassHESIOD, dns.ClassNONE, dns.ClassANY, 77} {
		q := query("version.bind.", dns.TypeTXT)
		q.Question[0].Qclass = class
		r := z.respond(mustPack(t, q), carrier{udp: true}, firstOf(nil), nil)
		if m := mustUnpack(t, r.bytes); m.Rcode != dns.RcodeRefused || m.Authoritative || r.outcome != OutcomeRefused {
			t.Errorf("class %d: %v", class, m)
		}
	}
}

func TestRespond_EDNS(t *testing.T) {
	z := mustZone(t, nil)
	s := firstOf(mustTable(t, z, fleet(1)...))
	for version, want := range map[uint8]int{0: dns.RcodeSuccess, 1: dns.RcodeBadVers, 255: dns.RcodeBadVers} {
		q := query(z.origin, dns.TypeA)
		q.SetEdns0(4096, true)
		opt := q.IsEdns0()
		opt.SetVersion(version)
		opt.Option = append(opt.Option, &dns.EDNS0_LOCAL{Code: 65001, Data: []byte("?")}) // unknown: passed over
		m := mustUnpack(t, z.respond(mustPack(t, q), carrier{udp: true}, s, nil).bytes)
		opt = m.IsEdns0()
		if m.Rcode != want || opt == nil || opt.Version() != 0 || opt.UDPSize() != ednsSize || opt.Do() || len(opt.Option) != 0 {
			t.Errorf("version %d: %v", version, m)
		}
		if (len(m.Answer) == 1) != (want == dns.RcodeSuccess) {
			t.Errorf("version %d: %v", version, m)
		}
	}
}

// A query may have an OPT and a signature.
func TestRespond_ARecordBehindTheOPT(t *testing.T) {
	z := mustZone(t, nil)
	s := firstOf(mustTable(t, z, fleet(1)...))
	const signature = "00" + "00fa" + "00ff" + "00000000" + "0000" // TSIG, empty
	packet := raw(t, "1234"+"0100"+"0001000000000002"+hexQuestion+hexOPT+signature)
	if m := mustUnpack(t, z.respond(packet, carrier{udp: true}, s, nil).bytes); m.Rcode != dns.RcodeSuccess || len(m.Answer) != 1 {
		t.Errorf("%v", m)
	}
}

// Over UDP an answer is complete, or has no optional records, or is empty and truncated. It is
// never longer than the client accepts.
func TestRespond_Truncation(t *testing.T) {
	long := mustZone(t, func(o *Options) { o.MaxAnswers = 40 })
	logins := mustTable(t, long, fleet(40)...)
	for name, c := range map[string]struct {
		size      uint16 // 0: no EDNS
		udp       bool
		qtype     uint16
		answers   int
		extra     bool
		truncated bool
	}{
		"A, plain: too long":           {0, true, dns.TypeA, 0, false, true},
		"A, 512":                       {512, true, dns.TypeA, 0, false, true},
		"A, less than any client":      {100, true, dns.TypeA, 0, false, true},
		"A, 1232":                      {1232, true, dns.TypeA, 40, false, false},
		"A, TCP":                       {0, false, dns.TypeA, 40, false, false},
		"SRV, more than we send":       {4096, true, dns.TypeSRV, 0, false, true},
		"SRV, TCP":                     {0, false, dns.TypeSRV, 40, true, false},
		"SRV, TCP with a small window": {512, false, dns.TypeSRV, 40, true, false},
	} {
		qname := map[uint16]string{dns.TypeA: long.origin, dns.TypeSRV: "_gatepass._tcp." + long.origin}[c.qtype]
		q := query(qname, c.qtype)
		if c.size != 0 {
			q.SetEdns0(c.size, false)
		}
		r := long.respond(mustPack(t, q), carrier{udp: c.udp}, firstOf(logins), nil)
		m := mustUnpack(t, r.bytes)
		extra := len(m.Extra) > 0 && m.Extra[0].Header().Rrtype == dns.TypeA
		if len(m.Answer) != c.answers || m.Truncated != c.truncated || r.truncated != c.truncated || extra != c.extra || (m.IsEdns0() != nil) != (c.size != 0) {
			t.Errorf("%s: %d answers, tc %v, extra %v\n%v", name, len(m.Answer), m.Truncated, extra, m)
		}
		if limit := min(max(int(c.size), 512), ednsSize); c.udp && len(r.bytes) > limit {
			t.Errorf("%s: %d bytes, at most %d fit", name, len(r.bytes), limit)
		}
	}
}

// The addresses that go with SRV records are dropped before the answer is truncated.
func TestRespond_DropsHelpBeforeTheAnswer(t *testing.T) {
	z := mustZone(t, nil)
	q := query("_gatepass._tcp."+z.origin, dns.TypeSRV)
	met := map[string]bool{}
	for n := 1; n <= DefaultMaxAnswers; n++ {
		logins := mustTable(t, z, fleet(n)...)
		m := mustUnpack(t, z.respond(mustPack(t, q), carrier{udp: true}, firstOf(logins), nil).bytes)
		switch {
		case len(m.Answer) == n && len(m.Extra) == n && !m.Truncated:
			met["whole"] = true
		case len(m.Answer) == n && len(m.Extra) == 0 && !m.Truncated:
			met["without addresses"] = true
		default:
			t.Errorf("%d servers: %v", n, m)
		}
	}
	if len(met) != 2 {
		t.Errorf("met only %v", met)
	}
}

// Beyond the rate limit a reply is not longer than the question, and makes real clients use
// TCP.
func TestRespond_Slip(t *testing.T) {
	z := mustZone(t, nil)
	s := firstOf(mustTable(t, z, fleet(8)...))
	for _, name := range []string{z.origin, "nobody." + z.origin, "example.com."} {
		packet := mustPack(t, query(name, dns.TypeA))
		r := z.respond(packet, carrier{udp: true, slip: true}, s, nil)
		m := mustUnpack(t, r.bytes)
		if !m.Truncated || len(m.Answer)+len(m.Ns)+len(m.Extra) != 0 || len(r.bytes) > len(packet) {
			t.Errorf("%s: %d bytes for %d: %v", name, len(r.bytes), len(packet), m)
		}
	}
}

func TestOutcome_String(t *testing.T) {
	seen := map[string]bool{}
	for o := range OutcomeCount + 1 {
		if seen[o.String()] || o.String() == "" {
			t.Errorf("outcome %d: %q", o, o)
		}
		seen[o.String()] = true
	}
}

// For any packet there is either no reply, or one that can be parsed, belongs to the packet
// and is short enough.
func FuzzRespond(f *testing.F) {
	z := mustZone(f, nil)
	logins := mustTable(f, z, append(fleet(20), beat("six", "[2001:db8::1]:3724", 5), draining(beat("gone", "192.0.2.1:1", 5)))...)
	for _, name := range []string{z.origin, "l001." + z.origin, "_gatepass._tcp." + z.origin, "_tcp." + z.origin, "nobody." + z.origin, "example.com.", "."} {
		for _, qtype := range []uint16{dns.TypeA, dns.TypeAAAA, dns.TypeSRV, dns.TypeSOA, dns.TypeNS, dns.TypeANY, dns.TypeAXFR} {
			q := query(name, qtype)
			f.Add(mustPack(f, q), true, false)
			q.SetEdns0(1232, true)
			f.Add(mustPack(f, q), false, true)
		}
	}
	f.Add(raw(f, "12340000000100000000000000"+"c00c00010001"), true, false)
	f.Add([]byte{}, false, false)
	f.Fuzz(func(t *testing.T, packet []byte, udp, slip bool) {
		packet = packet[:min(len(packet), maxQuery)]
		r := z.respond(packet, carrier{udp: udp, slip: slip}, seeded(logins, 1), make([]byte, maxQuery))
		if (r.bytes == nil) != (r.outcome == OutcomeSilence) {
			t.Fatalf("outcome %v, %d bytes", r.outcome, len(r.bytes))
		}
		if r.bytes == nil {
			return
		}
		m := mustUnpack(t, r.bytes)
		if !m.Response || r.bytes[0] != packet[0] || r.bytes[1] != packet[1] {
			t.Fatalf("not a reply to it: %v", m)
		}
		if udp && len(r.bytes) > ednsSize {
			t.Fatalf("%d bytes over UDP", len(r.bytes))
		}
		if len(m.Question) == 0 && len(r.bytes) != headerSize {
			t.Fatalf("a reply without the question: %x", r.bytes)
		}
	})
}
