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

// oobSize is the size of the buffer for the control messages of one packet.
const oobSize = 128

// udpSocket is a UDP socket that sends each reply from the address that the question was sent
// to, because clients drop replies from other addresses. A socket bound to one address does so
// anyway. Otherwise the kernel reports each packet's destination address, and gets it back
// with the reply.
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
	// A socket for both families accepts both options, one for IPv4 only the second.
	err6 := ipv6.NewPacketConn(u.conn).SetControlMessage(ipv6.FlagDst|ipv6.FlagInterface, true)
	err4 := ipv4.NewPacketConn(u.conn).SetControlMessage(ipv4.FlagDst|ipv4.FlagInterface, true)
	if err4 != nil && err6 != nil {
		return nil, errors.Join(err4, err6, u.conn.Close())
	}
	return u, nil
}

// datagram is one received packet.
type datagram struct {
	from netip.AddrPort
	n    int
	oob  []byte // control message for the reply; nil for none
}

// read waits for a packet. Several goroutines may call it at once.
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

// replyFrom returns the control message for the reply, made from the control message of the
// packet.
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

// serveUDP is the loop of one worker, which handles one packet at a time.
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

// answerUDP returns the reply to a packet, or nil if there is none or the limiter drops it.
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
