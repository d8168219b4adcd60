package logic

import (
	"time"

	"gatepass/codec"
	"gatepass/patches"
)

// updating brings a client up to date that has proven who it is and is too old: it is
// offered a file, asks for it, waits in line for it (line.go), and is sent it by its
// reactor. It gets no key: it comes back as another client.
//
//	offered ─accept─▶ (waiting) ─▶ sending ─ended─▶ sent
//	   └──────────── cancel, from any ─────────────┴──▶ closed
type updating struct{}

// updateStage is how far an update has come.
type updateStage uint8

const (
	// updateOffered: the client's answer is awaited.
	updateOffered updateStage = iota
	// updateWaiting: others are served first.
	updateWaiting
	// updateSending: its reactor sends the file.
	updateSending
	// updateSent: it has everything, and is to go by itself.
	updateSent
)

// version is what is to become of a client by what it runs, and how far that is.
type version struct {
	patches.Verdict
	stage  updateStage
	window uint32
	offset uint64
	// place is the last one in line that the client was told.
	place uint64
}

// judge looks at what a client says it runs.
func (c *Core) judge(s *session, h *codec.Hello) {
	client := patches.Client{Build: h.Build, System: h.System, Arch: h.Platform, Locale: h.Locale}
	if s.native != nil {
		client.Protocol = codec.ProtocolNative
	}
	if v := c.versions.Judge(client); !v.Allowed || len(v.Known) > 0 {
		s.version = &version{Verdict: v}
	}
}

// tooOld tells whether a client must be brought up to date.
func (s *session) tooOld() bool { return s.version != nil && !s.version.Allowed }

func (updating) Enter(c *Core, s *session) {
	c.signal(Signal{Kind: SignalUpdateOffered, session: s})
	if s.native != nil {
		c.offerNative(s)
	} else {
		c.reply = codec.Reply{Kind: codec.ReplyLogonProof, Result: codec.ResultVersionUpdate}
		c.send(s)
		c.offer(s, nil)
	}
	c.sessions.endAttempt(s)
	if c.draining && s.state != StateLeaving { // it was on its way when the drain began
		c.sendOff(s)
	}
}

// offer sends the offer, unless the session is gone for want of room.
func (c *Core) offer(s *session, n *codec.NativeReply) {
	if s.state == StateLeaving {
		return
	}
	f := s.version.Update
	c.reply = codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: f.Size, MD5: f.MD5}, Native: n}
	c.send(s)
}

func (c *Core) offerNative(s *session) {
	if !s.native.sealed {
		c.seal(s)
	}
	s.native.signIn = nil
	c.offer(s, &codec.NativeReply{Update: s.version.Offer})
}

// Leave gives the session's place back, in line or among those who are served.
func (updating) Leave(c *Core, s *session) { c.line.leave(s) }

func (updating) Limit(o *Options) time.Duration { return o.AcceptLimit }

func (updating) Process(c *Core, s *session, m *codec.Message) {
	switch m.Kind {
	case codec.KindTransferAccept, codec.KindTransferResume:
		c.accepted(s, m)
	case codec.KindTransferCancel:
		if s.version.stage != updateSent {
			c.signal(Signal{Kind: SignalUpdateCancelled, session: s})
		}
		c.hangUp(s, codec.CloseLogic)
	case codec.KindTransferEnded:
		c.transferred(s, m.Ended)
	case codec.KindPing:
		c.reply = codec.Reply{Kind: codec.ReplyPong, Number: m.Number}
		c.send(s)
	}
}

// accepted puts a client into the line that wants its file, from m.Number on if it has
// had a part of it before. An account is sent one file at a time.
func (c *Core) accepted(s *session, m *codec.Message) {
	v := s.version
	if v.stage != updateOffered {
		c.count.outOfPlace[s.state].Add(1)
		c.refuse(s, codec.ReplyNone, codec.ResultProtocol)
		return
	}
	if m.Kind == codec.KindTransferResume {
		v.offset, v.window = m.Number, m.Window
	}
	if v.offset > v.Update.Size {
		c.updateFailed(s, codec.TransferOffset)
		return
	}
	if other := c.sessions.get(c.line.of[s.name]); other != nil && other != s {
		c.replace(other.conn, "another update of the account")
	}
	c.join(s)
}

// startTransfer has the session's reactor send the file; it closes those who take
// nothing of it. False means that there was no room to tell it.
func (c *Core) startTransfer(s *session) bool {
	v := s.version
	t := &codec.Transfer{Source: v.Update, Size: v.Update.Size, Offset: v.offset, Window: v.window}
	if !c.ports.Out.StartTransfer(s.conn, t) {
		return false
	}
	v.stage = updateSending
	return true
}

// transferred takes the reactor's word that the file is not being sent any more.
func (c *Core) transferred(s *session, ended codec.TransferEnd) {
	if ended != codec.TransferDone {
		c.updateFailed(s, ended)
		return
	}
	c.signal(Signal{Kind: SignalUpdateDone, session: s})
	if s.native != nil {
		c.become(s, StateLeaving)
		c.reply = codec.Reply{Kind: codec.ReplyTransferDone}
		c.sendLast(s)
		return
	}
	// Its client goes by itself, once it has what is still on the way.
	c.line.leave(s)
	c.setDeadline(s, sentLimit)
}

// updateFailed ends a client's update. The existing protocol has no words for it: its
// client sees the connection end.
func (c *Core) updateFailed(s *session, ended codec.TransferEnd) {
	c.signal(Signal{Kind: SignalUpdateFailed, session: s, Ended: ended})
	if s.native == nil {
		c.hangUp(s, codec.CloseLogic)
		return
	}
	c.become(s, StateLeaving)
	c.reply = codec.Reply{Kind: codec.ReplyTransferFailed, Ended: ended}
	c.sendLast(s)
}
