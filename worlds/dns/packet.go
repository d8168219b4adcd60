package dns

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// Sizes in bytes.
const (
	headerSize = 12
	// plainSize is what a client takes over UDP that says nothing (RFC 1035, 4.2.1).
	plainSize = dns.MinMsgSize
	// ednsSize is what we take and send over UDP at most: it passes everywhere
	// without being cut into fragments, which get lost and can be forged.
	ednsSize = 1232
	// maxQuery bounds a question; a real one has at most some hundred bytes.
	maxQuery = 4096
)

// Outcome is what became of a packet.
type Outcome uint8

const (
	// OutcomeAnswer: records.
	OutcomeAnswer Outcome = iota
	// OutcomeNoData: the name exists, and has nothing of that type now.
	OutcomeNoData
	// OutcomeNoName: NXDOMAIN.
	OutcomeNoName
	// OutcomeRefused: another zone or class, or a transfer.
	OutcomeRefused
	// OutcomeNotImplemented: an opcode other than a query.
	OutcomeNotImplemented
	// OutcomeBadVersion: an EDNS version that does not exist yet.
	OutcomeBadVersion
	// OutcomeMalformed: FORMERR.
	OutcomeMalformed
	// OutcomeSilence: no reply: not a question at all.
	OutcomeSilence
	// OutcomeCount is the number of outcomes, for tables.
	OutcomeCount
)

var outcomeNames = [OutcomeCount]string{
	"answer", "nodata", "nxdomain", "refused", "notimp", "badvers", "formerr", "silence",
}

func (o Outcome) String() string {
	if o < OutcomeCount {
		return outcomeNames[o]
	}
	return "unknown"
}

// carrier says how a packet came.
type carrier struct {
	udp bool
	// slip: the sender gets no answer, but is told to come over TCP.
	slip bool
}

// reply is what a packet got.
type reply struct {
	bytes     []byte // nil: nothing
	outcome   Outcome
	truncated bool
}

// respond is all that the server has to say to a packet. It may use buf for the
// reply's bytes. Any goroutine.
func (z *zone) respond(packet []byte, c carrier, s *source, buf []byte) reply {
	if len(packet) < headerSize || packet[2]&0x80 != 0 {
		return reply{outcome: OutcomeSilence} // replies are not replied to: two servers would never stop
	}
	if opcode := packet[2] >> 3 & 0xf; opcode != dns.OpcodeQuery {
		return reply{bytes: bareReply(packet, dns.RcodeNotImplemented), outcome: OutcomeNotImplemented}
	}
	request, opt, ok := parse(packet)
	if !ok {
		return reply{bytes: bareReply(packet, dns.RcodeFormatError), outcome: OutcomeMalformed}
	}
	m, outcome := z.reply(request, opt, s)
	if c.slip {
		m.Answer, m.Ns, m.Extra, m.Truncated = nil, nil, nil, true
	}
	if opt != nil {
		m.Extra = append(m.Extra, newOPT())
	}
	packed, err := fit(m, sizeFor(opt, c), buf)
	if err != nil { // a question that cannot be packed again as it was unpacked
		return reply{bytes: bareReply(packet, dns.RcodeFormatError), outcome: OutcomeMalformed}
	}
	return reply{bytes: packed, outcome: outcome, truncated: m.Truncated}
}

// parse takes a query apart. It must have one question, and at most what comes
// with a query: an OPT and a signature behind it, an SOA with IXFR.
func parse(packet []byte) (request *dns.Msg, opt *dns.OPT, ok bool) {
	count := func(section int) uint16 { return binary.BigEndian.Uint16(packet[4+2*section:]) }
	if count(0) != 1 || count(1) != 0 || count(2) > 1 || count(3) > 2 {
		return nil, nil, false
	}
	request = new(dns.Msg)
	if err := request.Unpack(packet); err != nil || len(request.Question) != 1 {
		return nil, nil, false
	}
	// The parser lets a question end early, which leaves type or class zero.
	q := &request.Question[0]
	if q.Qtype == 0 || q.Qtype == dns.TypeOPT || q.Qclass == 0 || len(request.Extra) != int(count(3)) {
		return nil, nil, false
	}
	for _, record := range request.Extra {
		if o, is := record.(*dns.OPT); is {
			if opt != nil || o.Hdr.Name != "." {
				return nil, nil, false // RFC 6891, 6.1.1 and 6.1.2
			}
			opt = o
		}
	}
	return request, opt, true
}

// reply makes the message for a query, but for EDNS.
func (z *zone) reply(request *dns.Msg, opt *dns.OPT, s *source) (*dns.Msg, Outcome) {
	q, m := request.Question[0], (*dns.Msg)(nil)
	switch {
	case opt != nil && opt.Version() != 0:
		m = &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeBadVers}} // RFC 6891, 6.1.3
	case q.Qclass != dns.ClassINET:
		m = &dns.Msg{MsgHdr: dns.MsgHdr{Rcode: dns.RcodeRefused}}
	default:
		m = z.answer(q, s)
	}
	m.Id, m.Response, m.RecursionDesired = request.Id, true, request.RecursionDesired
	m.Question = request.Question
	m.Compress = true
	return m, outcomeOf(m)
}

func outcomeOf(m *dns.Msg) Outcome {
	switch {
	case m.Rcode == dns.RcodeBadVers:
		return OutcomeBadVersion
	case m.Rcode == dns.RcodeRefused:
		return OutcomeRefused
	case m.Rcode == dns.RcodeNameError:
		return OutcomeNoName
	case len(m.Answer) == 0:
		return OutcomeNoData
	}
	return OutcomeAnswer
}

func newOPT() *dns.OPT {
	opt := &dns.OPT{Hdr: dns.RR_Header{Name: ".", Rrtype: dns.TypeOPT}}
	opt.SetUDPSize(ednsSize)
	return opt
}

// sizeFor is how long a reply may be.
func sizeFor(opt *dns.OPT, c carrier) int {
	switch {
	case !c.udp:
		return dns.MaxMsgSize
	case opt == nil:
		return plainSize
	}
	return min(max(int(opt.UDPSize()), plainSize), ednsSize) // RFC 6891, 6.2.3
}

// fit packs a message into a size. First goes what is only there to help, then
// everything (RFC 2181, 9): no client looks at half a set.
func fit(m *dns.Msg, size int, buf []byte) ([]byte, error) {
	packed, err := m.PackBuffer(buf)
	if err != nil || len(packed) <= size {
		return packed, err
	}
	opt := m.IsEdns0()
	if m.Extra = nil; opt != nil {
		m.Extra = []dns.RR{opt}
	}
	if packed, err = m.PackBuffer(buf); err != nil || len(packed) <= size {
		return packed, err
	}
	m.Answer, m.Ns, m.Truncated = nil, nil, true
	return m.PackBuffer(buf)
}

// bareReply is a header alone: what did not make sense is not sent back.
func bareReply(packet []byte, rcode byte) []byte {
	b := make([]byte, headerSize)
	copy(b, packet[:2])
	b[2] = 0x80 | packet[2]&0x79 // QR; opcode and RD as they came
	b[3] = rcode
	return b
}
