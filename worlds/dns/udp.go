package dns

import (
	"errors"
	"net"
	"net/netip"
	"os"

	"golang.org/x/net/ipv4"
	"golang.org/x/net/ipv6"

	"gatepass/guard"
)

// oobSize is room for the control messages of one packet.
const oobSize = 128

// udpSocket is a UDP socket whose replies leave from the address that was asked.
// Where it is bound to one address that goes without saying; otherwise the
// kernel tells with each packet to which address it came, and is told with the
// reply. Clients drop replies from elsewhere.
type udpSocket struct {
	conn *net.UDPConn
	wild bool // bound to all addresses
}

func listenUDP(addr string) (*udpSocket, error) {
	c, err := net.ListenPacket("udp", addr)
	if err != nil {
		return nil, err
	}
	u := &udpSocket{conn: c.(*net.UDPConn)}
	if u.wild = u.conn.LocalAddr().(*net.UDPAddr).IP.IsUnspecified(); !u.wild {
		return u, nil
	}
	// A socket for both families takes both options, one for IPv4 only the second.
	err6 := ipv6.NewPacketConn(u.conn).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true)
	err4 := ipv4.NewPacketConn(u.conn).SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true)
	if err4 != nil && err6 != nil {
		return nil, errors.Join(err4, err6, u.conn.Close())
	}
	return u, nil
}

// datagram is one packet that came.
type datagram struct {
	from netip.AddrPort
	n    int
	oob  []byte // what to send the reply with; nil for nothing
}

// read waits for a packet. Several goroutines may.
func (u *udpSocket) read(buf, oob []byte) (d datagram, err error) {
	if !u.wild {
		d.n, d.from, err = u.conn.ReadFromUDPAddrPort(buf)
		return d, err
	}
	var oobn int
	d.n, oobn, _, d.from, err = u.conn.ReadMsgUDPAddrPort(buf, oob)
	if err == nil {
		d.oob = replyFrom(oob[:oobn])
	}
	return d, err
}

func (u *udpSocket) write(b []byte, d *datagram) (err error) {
	if d.oob == nil {
		_, err = u.conn.WriteToUDPAddrPort(b, d.from)
		return err
	}
	_, _, err = u.conn.WriteMsgUDPAddrPort(b, d.oob, d.from)
	return err
}

// replyFrom turns what the kernel told of a packet into what it is told with the
// reply.
func replyFrom(oob []byte) []byte {
	var to net.IP
	var m6 ipv6.ControlMessage
	var m4 ipv4.ControlMessage
	if m6.Parse(oob) == nil && m6.Dst != nil {
		to = m6.Dst
	} else if m4.Parse(oob) == nil && m4.Dst != nil {
		to = m4.Dst
	}
	switch {
	case to == nil || to.IsMulticast():
		return nil
	case to.To4() != nil:
		return (&ipv4.ControlMessage{Src: to}).Marshal()
	case to.IsLinkLocalUnicast():
		return (&ipv6.ControlMessage{Src: to, IfIndex: m6.IfIndex}).Marshal()
	}
	return (&ipv6.ControlMessage{Src: to}).Marshal()
}

// serveUDP is one worker's life: a packet at a time.
func (s *Server) serveUDP() {
	in, out, oob := make([]byte, maxQuery), make([]byte, maxQuery), make([]byte, oobSize)
	for {
		d, err := s.udp.read(in, oob)
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, net.ErrClosed):
			return
		case err != nil:
			if !s.pause() {
				return
			}
			continue
		}
		s.count.UDP.Add(1)
		if b := s.answerUDP(in[:d.n], &d, out); b != nil && s.udp.write(b, &d) != nil {
			s.count.Errors.Add(1)
		}
	}
}

// answerUDP makes the reply to a packet, as far as the limiter lets it; nil is
// none.
func (s *Server) answerUDP(packet []byte, d *datagram, buf []byte) []byte {
	src, c := s.source(), carrier{udp: true}
	switch s.limiter.take(guard.Provider(d.from.Addr()), src.now) {
	case verdictDrop:
		s.count.LimitedDropped.Add(1)
		return nil
	case verdictSlip:
		s.count.LimitedSlipped.Add(1)
		c.slip = true
	}
	return s.respond(packet, c, &src, buf).bytes
}
