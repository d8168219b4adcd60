package dns

import (
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// dig sends a question with the tool that operators use, and returns the lines that it prints.
// It is in Debian's bind9-dnsutils; CI has it.
func dig(t *testing.T, s *Server, args ...string) string {
	t.Helper()
	path, err := exec.LookPath("dig")
	if err != nil {
		if os.Getenv("CI") == "" {
			t.Skip("dig is not installed; on Debian: apt-get install bind9-dnsutils")
		}
		t.Fatal("CI must have dig: ", err)
	}
	addr := s.Addr()
	// -r: not what the user has in .digrc.
	all := append([]string{"-r", "@" + addr.Addr().String(), "-p", strconv.Itoa(int(addr.Port())), "+tries=1", "+time=5", "+nocookie"}, args...)
	out, err := exec.CommandContext(t.Context(), path, all...).CombinedOutput()
	if err != nil {
		t.Fatalf("dig %v: %v\n%s", all, err, out)
	}
	return string(out)
}

func digServer(t *testing.T) *Server {
	s := mustStart(t, func(o *Options) { o.MaxAnswers = 64 })
	s.Beat(beat("eu1", "192.0.2.1:3724", 100))
	s.Beat(beat("eu2", "192.0.2.2:3725", 300))
	s.Beat(beat("six", "[2001:db8::1]:3724", 50))
	return s
}

// shortLines returns the output of "dig +short", sorted, because the order is random.
func shortLines(out string) []string {
	lines := strings.Split(strings.TrimSpace(out), "\n")
	slices.Sort(lines)
	return lines
}

func TestDig_Records(t *testing.T) {
	s := digServer(t)
	for ask, want := range map[string][]string{
		"login.example.org A":                                    {"192.0.2.1", "192.0.2.2"},
		"login.example.org AAAA":                                 {"2001:db8::1"},
		"+tcp play.login.example.org A":                          {"192.0.2.1", "192.0.2.2"},
		"eu2.login.example.org A":                                {"192.0.2.2"},
		"login.example.org NS":                                   {"ns.example.net.", "ns1.login.example.org."},
		"ns1.login.example.org AAAA":                             {"2001:db8::53"},
		"login.example.org ANY":                                  {`"RFC8482" ""`},
		"_gatepass._tcp.login.example.org SRV":                   {"0 100 3724 eu1.login.example.org.", "0 300 3725 eu2.login.example.org.", "0 50 3724 six.login.example.org."},
		"+ednsflags=0x80 LOGIN.example.ORG A":                    {"192.0.2.1", "192.0.2.2"},
		"+dnssec +subnet=198.51.100.0/24 login.example.org AAAA": {"2001:db8::1"},
	} {
		if got := shortLines(dig(t, s, append(strings.Fields(ask), "+short")...)); !slices.Equal(got, want) {
			t.Errorf("dig %s: got %q, want %q", ask, got, want)
		}
	}
}

// mustSay checks that dig's long output has these texts.
func mustSay(t *testing.T, out string, want ...string) {
	t.Helper()
	flat := strings.Join(strings.Fields(out), " ")
	for _, w := range want {
		if !strings.Contains(flat, w) {
			t.Errorf("dig does not say %q:\n%s", w, out)
		}
	}
	if strings.Contains(out, "WARNING") || strings.Contains(out, "Warning") {
		t.Errorf("dig warns:\n%s", out)
	}
}

func TestDig_ServiceComesWithAddresses(t *testing.T) {
	mustSay(t, dig(t, digServer(t), "+norecurse", "_gatepass._tcp.login.example.org", "SRV"),
		"status: NOERROR", "flags: qr aa; QUERY: 1, ANSWER: 3, AUTHORITY: 0, ADDITIONAL: 4", "udp: 1232",
		"eu2.login.example.org. 5 IN A 192.0.2.2", "six.login.example.org. 5 IN AAAA 2001:db8::1")
}

func TestDig_Negative(t *testing.T) {
	s := digServer(t)
	soa := "login.example.org. 5 IN SOA ns1.login.example.org. hostmaster.login.example.org."
	mustSay(t, dig(t, s, "+norecurse", "nobody.login.example.org", "A"), "status: NXDOMAIN", "flags: qr aa; QUERY: 1, ANSWER: 0, AUTHORITY: 1", soa)
	mustSay(t, dig(t, s, "+norecurse", "login.example.org", "MX"), "status: NOERROR", "flags: qr aa; QUERY: 1, ANSWER: 0, AUTHORITY: 1", soa)
	mustSay(t, dig(t, s, "+norecurse", "www.example.com", "A"), "status: REFUSED", "flags: qr; QUERY: 1, ANSWER: 0, AUTHORITY: 0")
	mustSay(t, dig(t, s, "+norecurse", "version.bind", "TXT", "CH"), "status: REFUSED")
	mustSay(t, dig(t, s, "+opcode=status", "+noedns", "+norecurse", "login.example.org", "A"), "opcode: STATUS, status: NOTIMP")
	mustSay(t, dig(t, s, "login.example.org", "AXFR"), "Transfer failed.")
}

func TestDig_EDNS(t *testing.T) {
	s := digServer(t)
	mustSay(t, dig(t, s, "+norecurse", "+edns=1", "+noednsneg", "login.example.org", "A"), "status: BADVERS", "EDNS: version: 0, flags:; udp: 1232")
	mustSay(t, dig(t, s, "+norecurse", "+ednsopt=65001:abcd", "login.example.org", "A"), "status: NOERROR", "ANSWER: 2")
	if out := dig(t, s, "+norecurse", "+noedns", "login.example.org", "A"); strings.Contains(out, "EDNS") {
		t.Errorf("EDNS for a client that has none:\n%s", out)
	}
}

// After a truncated answer dig retries over TCP, as resolvers do.
func TestDig_TruncatedComesBackOverTCP(t *testing.T) {
	s := digServer(t)
	for _, b := range fleet(60) {
		s.Beat(b)
	}
	mustSay(t, dig(t, s, "+norecurse", "+bufsize=512", "+ignore", "login.example.org", "A"), "flags: qr aa tc; QUERY: 1, ANSWER: 0", "(UDP)")
	mustSay(t, dig(t, s, "+norecurse", "+bufsize=512", "login.example.org", "A"), "Truncated, retrying in TCP mode", "flags: qr aa; QUERY: 1, ANSWER: 62", "(TCP)")
	mustSay(t, dig(t, s, "+norecurse", "+bufsize=1232", "login.example.org", "A"), "flags: qr aa; QUERY: 1, ANSWER: 62", "(UDP)")
}

func TestDig_DrainingLeavesAtOnce(t *testing.T) {
	s := digServer(t)
	s.Beat(draining(beat("eu1", "192.0.2.1:3724", 100)))
	if got := dig(t, s, "+short", "login.example.org", "A"); got != "192.0.2.2\n" {
		t.Errorf("got %q", got)
	}
	s.Beat(draining(beat("eu2", "192.0.2.2:3725", 100)))
	mustSay(t, dig(t, s, "+norecurse", "login.example.org", "A"), "status: NOERROR", "ANSWER: 0, AUTHORITY: 1")
	s.Beat(beat("eu1", "192.0.2.1:3724", 100))
	if got := dig(t, s, "+short", "login.example.org", "A"); got != "192.0.2.1\n" {
		t.Errorf("got %q", got)
	}
}
