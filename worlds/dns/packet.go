package dns

import (
	"encoding/binary"

	"github.com/miekg/dns"
)

// Sizes in bytes.
const (
	headerSize = 12
	// plainSize is the UDP size that a client accepts if its question has no EDNS (RFC 1035,
	// 4.2.1).
	plainSize = dns.MinMsgSize
	// ednsSize is the largest UDP packet that the server accepts and sends. Networks do not
	// split this size into fragments, which can be lost or forged.
	ednsSize = 1232
	// maxQuery is the maximum size of a question. A real one has at most some hundred bytes.
	maxQuery = 4096
)

// Outcome is the result of handling a packet.
type Outcome uint8

const (
	// OutcomeAnswer: the reply has records.
	OutcomeAnswer Outcome = iota
	// OutcomeNoData: the name exists, but has no records of that type now.
	OutcomeNoData
	// OutcomeNoName: NXDOMAIN.
	OutcomeNoName
	// OutcomeRefused: the question is for another zone or class, or for a transfer.
	OutcomeRefused
	// OutcomeNotImplemented: an opcode other than a query.
	OutcomeNotImplemented
	// OutcomeBadVersion: an EDNS version that does not exist yet.
	OutcomeBadVersion
	// OutcomeMalformed: FORMERR.
	OutcomeMalformed
	// OutcomeSilence: no reply, because the packet is no question.
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

// carrier describes how a packet arrived.
type carrier struct {
	udp bool
	// slip: the reply has no answer and is truncated, so that the sender uses TCP.
	slip bool
}

// reply is the reply to a packet.
type reply struct {
	bytes     []byte // nil for no reply
	outcome   Outcome
	truncated bool
}

// respond returns the reply to a packet. It may use buf for the reply's bytes. Any goroutine.
func (z *zone) respond(packet []byte, c carrier, s *source, buf []byte) reply {
	if len(packet) < headerSize || packet[2]&0x80 != 0 {
		return reply{outcome: OutcomeSilence} // never answer a reply: two servers would answer each other for ever
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
	if err != nil { // the question was unpacked but cannot be packed again
		return reply{bytes: bareReply(packet, dns.RcodeFormatError), outcome: OutcomeMalformed}
	}
	return reply{bytes: packed, outcome: outcome, truncated: m.Truncated}
}

// parse unpacks a query. ok is false unless it has one question and at most the records that
// may come with a query: an OPT and a signature after it, or an SOA with IXFR.
func parse(packet []byte) (request *dns.Msg, opt *dns.OPT, ok bool) {
	count := func(section int) uint16 { return binary.BigEndian.Uint16(packet[4+2*section:]) }
	if count(0) != 1 || count(1) != 0 || count(2) > 1 || count(3) > 2 {
		return nil, nil, false
	}
	request = new(dns.Msg)
	if err := request.Unpack(packet); err != nil || len(request.Question) != 1 {
		return nil, nil, false
	}
	// The parser accepts a question that ends early, and leaves type or class zero.
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

// reply returns the message for a query, without EDNS.
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

// sizeFor returns the maximum length of a reply.
func sizeFor(opt *dns.OPT, c carrier) int {
	switch {
	case !c.udp:
		return dns.MaxMsgSize
	case opt == nil:
		return plainSize
	}
	return min(max(int(opt.UDPSize()), plainSize), ednsSize) // RFC 6891, 6.2.3
}

// fit packs a message into at most size bytes. If it is too long, it drops first the optional
// records and then all records (RFC 2181, 9), because clients do not use incomplete sets.
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

// bareReply returns a header without the question, because a malformed question is not sent
// back.
func bareReply(packet []byte, rcode byte) []byte {
	b := make([]byte, headerSize)
	copy(b, packet[:2])
	b[2] = 0x80 | packet[2]&0x79 // QR; opcode and RD as they came
	b[3] = rcode
	return b
}
