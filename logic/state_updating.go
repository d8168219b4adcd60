package logic

import (
	"time"

	"gatepass/codec"
	"gatepass/patches"
)

// updating brings a client up to date that has proven who it is and is too old: it is
// offered a file, asks for it, waits for its turn (updatequeue.go), and is sent it by its
// reactor. It gets no key: it comes back with the new build.
//
//	offered ─accept─▶ (waiting) ─▶ sending ─ended─▶ sent
//	   └──────────── cancel, from any ─────────────┴──▶ closed
type updating struct{}

// updateStage is how far an update has come.
type updateStage uint8

const (
	// updateOffered: the client's answer is awaited.
	updateOffered updateStage = iota
	// updateWaiting: it is in the queue.
	updateWaiting
	// updateSending: its reactor sends the file.
	updateSending
	// updateSent: it has everything, and is to close the connection by itself.
	updateSent
)

// version is what follows from what a client runs, and how far its update has come.
type version struct {
	patches.Verdict
	stage  updateStage
	window uint32
	offset uint64
	// place is the last one in the queue that the client was told.
	place uint64
	// ended is how sending the file ended.
	ended codec.TransferEnd
}

// judge looks at what a client says it runs.
func (c *Core) judge(s *session, h *codec.Hello) {
	client := patches.Client{Protocol: s.protocol, Build: h.Build, System: h.System, Arch: h.Platform, Locale: h.Locale}
	if v := c.versions.Judge(client); !v.Allowed || len(v.Known) > 0 {
		s.version = &version{Verdict: v}
	}
}

// tooOld tells whether a client must be brought up to date.
func (s *session) tooOld() bool { return s.version != nil && !s.version.Allowed }

func (updating) Enter(c *Core, s *session) {
	c.signal(Signal{Kind: SignalUpdateOffered, session: s})
	s.dialect().offerUpdate(c, s)
	c.sessions.endAttempt(s)
	if c.draining { // the drain began during the sign-in
		c.end(s, endDrained)
	}
}

// offer sends the offer, unless the session has just ended because its send queue is full.
func (c *Core) offer(s *session, n *codec.NativeReply) {
	if s.state == StateLeaving {
		return
	}
	f := s.version.Update
	c.reply = codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: f.Size, MD5: f.MD5}, Native: n}
	c.send(s)
}

// Leave gives back the session's place, in the queue or among those that are served.
func (updating) Leave(c *Core, s *session) { c.updates.leave(s) }

func (updating) Limit(o *Options) time.Duration { return o.AcceptLimit }

func (updating) Process(c *Core, s *session, m *codec.Message) {
	switch m.Kind {
	case codec.KindTransferAccept, codec.KindTransferResume:
		c.accepted(s, m)
	case codec.KindTransferCancel:
		if s.version.stage == updateSent {
			c.end(s, endUpdated)
		} else {
			c.end(s, endUpdateCancelled)
		}
	case codec.KindTransferEnded:
		c.transferred(s, m.Ended)
	case codec.KindPing:
		c.reply = codec.Reply{Kind: codec.ReplyPong, Number: m.Number}
		c.send(s)
	}
}

// accepted puts a client into the queue that wants its file, from m.Number on if it has
// the part before. An account is sent one file at a time.
func (c *Core) accepted(s *session, m *codec.Message) {
	v := s.version
	if v.stage != updateOffered {
		c.count.outOfPlace[s.state].Add(1)
		c.end(s, endProtocol)
		return
	}
	if m.Kind == codec.KindTransferResume {
		v.offset, v.window = m.Number, m.Window
	}
	if v.offset > v.Update.Size {
		c.updateFailed(s, codec.TransferOffset)
		return
	}
	if other := c.sessions.get(c.updates.of[s.name]); other != nil && other != s {
		c.end(other, endSecondUpdate)
	}
	c.join(s)
}

// startTransfer has the session's reactor send the file. The reactor closes the
// connection of a client that does not read. False means that there was no room to tell
// the reactor.
func (c *Core) startTransfer(s *session) bool {
	v := s.version
	t := &codec.Transfer{Source: v.Update, Size: v.Update.Size, Offset: v.offset, Window: v.window}
	if !c.ports.Out.StartTransfer(s.conn, t) {
		return false
	}
	v.stage = updateSending
	return true
}

// transferred handles the reactor's message that it does not send the file any more.
func (c *Core) transferred(s *session, ended codec.TransferEnd) {
	if ended != codec.TransferDone {
		c.updateFailed(s, ended)
		return
	}
	c.signal(Signal{Kind: SignalUpdateDone, session: s})
	s.dialect().fileSent(c, s)
}

// updateFailed ends a client's update.
func (c *Core) updateFailed(s *session, ended codec.TransferEnd) {
	s.version.ended = ended
	c.end(s, endUpdateFailed)
}
