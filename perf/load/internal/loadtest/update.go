//go:build linux

package loadtest

import (
	"crypto/md5"
	"crypto/sha256"
	"net/netip"
	"os"
	"testing"

	"gatepass/codec"
	"gatepass/perf/load/players"
)

// Update is a file that a nativeServer offers to its clients.
type Update struct {
	Path string
	// Cut closes connections after so many bytes, spoil changes the byte at that offset; 0:
	// neither. fail makes the server report that it cannot send the file.
	Cut, Spoil int
	Fail       bool

	data   []byte
	md5    [16]byte
	sha256 [32]byte
}

// sending is what one connection has sent of the file, and what of it is acknowledged.
type sending struct {
	sent, acked int
	window      int
	acks        int
}

func (c *nativeConn) offer() bool {
	u := c.update
	size := uint64(len(u.data))
	return c.say(codec.Reply{
		Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: size, MD5: u.md5},
		Native: &codec.NativeReply{Update: &codec.UpdateOffer{
			From: c.hello.Hello.Build, To: c.hello.Hello.Build + 1, SHA256: u.sha256, ChunkSize: uint32(size),
			Hashes: u.sha256[:], Name: "patch", Steps: 1, Total: size,
		}},
	})
}

// transfer processes a client's message about the file, and sends on.
func (c *nativeConn) transfer(m *codec.Message) bool {
	if m.Kind == codec.KindTransferResume {
		c.sending.window = int(m.Window)
		if c.update.Fail {
			return c.say(codec.Reply{Kind: codec.ReplyTransferFailed, Ended: codec.TransferFault})
		}
		if !c.say(codec.Reply{Kind: codec.ReplyTransferQueued, Number: 1}) {
			return false
		}
	} else {
		c.sending.acks++
		if int(m.Number) > c.sending.sent || int(m.Number) < c.sending.acked {
			return false // it was not sent that much
		}
		c.sending.acked = int(m.Number)
	}
	if c.sending.acked == len(c.update.data) {
		return c.say(codec.Reply{Kind: codec.ReplyTransferDone})
	}
	return c.sendOn()
}

// sendOn sends as much as the window permits.
func (c *nativeConn) sendOn() bool {
	s, frame := &c.sending, c.session.FileFrame()
	var out []byte
	for s.sent < len(c.update.data) {
		n := min(frame.Data, len(c.update.data)-s.sent)
		if s.sent+n-s.acked > s.window {
			break
		}
		at := len(out)
		out = append(out, make([]byte, frame.Size())...)
		copy(out[at+frame.Head:], c.update.data[s.sent:s.sent+n])
		out = out[:at+c.session.FrameFile(out[at:], uint64(s.sent), n)]
		s.sent += n
	}
	_, err := c.Write(out)
	return err == nil && (c.update.Cut == 0 || s.sent < c.update.Cut)
}

// ServeUpdate serves a native file until the test ends.
func ServeUpdate(t *testing.T, p *players.Native, u *Update) netip.AddrPort {
	t.Helper()
	var err error
	if u.data, err = os.ReadFile(u.Path); err != nil {
		t.Fatal(err)
	}
	u.md5, u.sha256 = md5.Sum(u.data), sha256.Sum256(u.data)
	if u.Spoil > 0 {
		u.data[u.Spoil] ^= 1
	}
	_, addr := ServeNative(t, p, func(s *NativeServer) { s.update = u })
	return addr
}
