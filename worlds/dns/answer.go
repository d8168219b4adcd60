package dns

import (
	"net"
	"strings"

	"github.com/miekg/dns"
)

// answer returns the records and the response code for a question of the Internet class. The
// caller sets header and EDNS.
func (z *zone) answer(q dns.Question, s *source) *dns.Msg {
	m := new(dns.Msg)
	name := strings.ToLower(q.Name)
	if !z.contains(name) || isTransfer(q.Qtype) {
		m.Rcode = dns.RcodeRefused
		return m
	}
	m.Authoritative = true
	at, l := z.find(name, s.logins)
	switch {
	case at == placeNone:
		m.Rcode = dns.RcodeNameError
	case q.Qtype == dns.TypeANY:
		m.Answer = []dns.RR{&dns.HINFO{Hdr: header(q.Name, dns.TypeHINFO, z.ttl), Cpu: "RFC8482"}} // RFC 8482, 4.2
	default:
		z.fill(m, q, found{place: at, name: name, login: l}, s)
	}
	if len(m.Answer) == 0 {
		m.Ns = []dns.RR{z.soa(apexOf(q.Name, z), s)} // RFC 2308, 2
	}
	return m
}

// isTransfer reports whether a type asks for more than records. These are the types from TKEY
// to MAILA.
func isTransfer(qtype uint16) bool { return qtype >= 128 && qtype <= 254 && qtype != dns.TypeANY }

// found is what the zone has at the name in the question.
type found struct {
	place place
	name  string // lower case
	login *login // for placeLogin
}

// fill adds the records that f has of the question's type.
func (z *zone) fill(m *dns.Msg, q dns.Question, f found, s *source) {
	isAddress := q.Qtype == dns.TypeA || q.Qtype == dns.TypeAAAA
	switch {
	case isAddress && (f.place == placeApex || f.place == placeAlias):
		m.Answer = addressRecords(q, z.ttl, z.addresses(s, q.Qtype == dns.TypeAAAA))
	case isAddress && f.place == placeLogin && z.healthy(f.login, s.now) && f.login.record.Header().Rrtype == q.Qtype:
		m.Answer = []dns.RR{addressRecord(q.Name, z.ttl, f.login.ip)}
	case isAddress && f.place == placeServer:
		m.Answer = z.glueOf(f.name, q)
	case q.Qtype == dns.TypeSRV && f.place == placeService:
		z.addServices(m, q, s)
	case q.Qtype == dns.TypeNS && f.place == placeApex:
		z.addNameServers(m, q)
	case q.Qtype == dns.TypeSOA && f.place == placeApex:
		m.Answer = []dns.RR{z.soa(q.Name, s)}
	}
}

func (z *zone) addServices(m *dns.Msg, q dns.Question, s *source) {
	logins := z.services(s)
	weights, records := srvWeights(logins), make([]dns.SRV, len(logins))
	m.Answer, m.Extra = make([]dns.RR, len(logins)), make([]dns.RR, len(logins), len(logins)+1) // + OPT
	for i, l := range logins {
		records[i] = dns.SRV{
			Hdr: header(q.Name, dns.TypeSRV, z.ttl), Weight: weights[i], Port: l.addr.Port(), Target: l.target,
		}
		m.Answer[i], m.Extra[i] = &records[i], l.record
	}
}

func (z *zone) addNameServers(m *dns.Msg, q dns.Question) {
	for _, name := range z.ns {
		m.Answer = append(m.Answer, &dns.NS{Hdr: header(q.Name, dns.TypeNS, staticTTL), Ns: name})
		for _, addr := range z.glue[name] {
			m.Extra = append(m.Extra, addressRecord(name, staticTTL, addr.Unmap().AsSlice()))
		}
	}
}

// glueOf returns the addresses of a name server inside the zone.
func (z *zone) glueOf(name string, q dns.Question) (records []dns.RR) {
	for _, addr := range z.glue[name] {
		if addr.Unmap().Is6() == (q.Qtype == dns.TypeAAAA) {
			records = append(records, addressRecord(q.Name, staticTTL, addr.Unmap().AsSlice()))
		}
	}
	return records
}

// soa returns the zone's SOA record. The zone changes all the time, so its serial number is
// the time of day.
func (z *zone) soa(owner string, s *source) dns.RR {
	return &dns.SOA{
		Hdr: header(owner, dns.TypeSOA, z.ttl), Ns: z.ns[0], Mbox: z.mailbox,
		Serial: s.serial, Refresh: soaRefresh, Retry: soaRetry, Expire: soaExpire, Minttl: z.ttl,
	}
}

// apexOf returns the zone's name with the letter case that a name under it has (0x20).
func apexOf(name string, z *zone) string { return name[len(name)-len(z.origin):] }

func header(name string, rtype uint16, ttl uint32) dns.RR_Header {
	return dns.RR_Header{Name: name, Rrtype: rtype, Class: dns.ClassINET, Ttl: ttl}
}

// addressRecords returns the records of an A or AAAA answer, with few allocations.
func addressRecords(q dns.Question, ttl uint32, logins []*login) []dns.RR {
	records := make([]dns.RR, len(logins))
	if q.Qtype == dns.TypeA {
		as := make([]dns.A, len(logins))
		for i, l := range logins {
			as[i] = dns.A{Hdr: header(q.Name, dns.TypeA, ttl), A: l.ip}
			records[i] = &as[i]
		}
		return records
	}
	as := make([]dns.AAAA, len(logins))
	for i, l := range logins {
		as[i] = dns.AAAA{Hdr: header(q.Name, dns.TypeAAAA, ttl), AAAA: l.ip}
		records[i] = &as[i]
	}
	return records
}

// addressRecord returns an A record for an address of 4 bytes, an AAAA record for one of 16.
func addressRecord(name string, ttl uint32, ip net.IP) dns.RR {
	if len(ip) == net.IPv4len {
		return &dns.A{Hdr: header(name, dns.TypeA, ttl), A: ip}
	}
	return &dns.AAAA{Hdr: header(name, dns.TypeAAAA, ttl), AAAA: ip}
}
