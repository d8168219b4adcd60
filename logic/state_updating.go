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

// judge notes what follows from what a client says it runs.
func judge(s *session, h *codec.Hello, versions Versions) {
	client := patches.Client{Protocol: s.protocol, Build: h.Build, System: h.System, Arch: h.Platform, Locale: h.Locale}
	if v := versions.Judge(client); !v.Allowed || len(v.Known) > 0 {
		s.version = &version{Verdict: v}
	}
}

// tooOld tells whether a client must be brought up to date.
func (s *session) tooOld() bool { return s.version != nil && !s.version.Allowed }

func (updating) Enter(c *Core, s *session) {
	c.signals.raise(Signal{Kind: SignalUpdateOffered, session: s})
	s.dialect().offerUpdate(c, s)
	c.sessions.endAttempt(s)
	if c.service.draining { // the drain began during the sign-in
		c.end(s, endDrained)
	}
}

// updateOffer is the offer of the file that brings a client up to date.
func updateOffer(s *session) codec.Reply {
	f := s.version.Update
	return codec.Reply{Kind: codec.ReplyTransferOffer, Offer: codec.TransferOffer{Size: f.Size, MD5: f.MD5}}
}

// Leave gives back the session's place, in the queue or among those that are served.
func (updating) Leave(c *Core, s *session) { c.updates.leave(s) }

func (updating) Limit(o *Options) time.Duration { return o.AcceptLimit }

func (u updating) Step(c *Core, s *session, in Input) bool {
	if in.Kind != InputMessage {
		return false
	}
	switch m := in.Message; m.Kind {
	case codec.KindTransferAccept, codec.KindTransferResume:
		u.accepted(c, s, m)
	case codec.KindTransferCancel:
		if s.version.stage == updateSent {
			c.end(s, endUpdated)
		} else {
			c.end(s, endUpdateCancelled)
		}
	case codec.KindTransferEnded:
		u.transferred(c, s, m.Ended)
	case codec.KindPing:
		c.say(s, codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
	}
	return true
}

// accepted puts a client into the queue that wants its file, from m.Number on if it has
// the part before. An account is sent one file at a time.
func (u updating) accepted(c *Core, s *session, m *codec.Message) {
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
		u.failed(c, s, codec.TransferOffset)
		return
	}
	if other := c.updates.ofAccount(s.name); other != nil && other != s {
		c.end(other, endSecondUpdate)
	}
	c.updates.join(s)
}

// transferred handles the reactor's message that it does not send the file any more.
func (u updating) transferred(c *Core, s *session, ended codec.TransferEnd) {
	if ended != codec.TransferDone {
		u.failed(c, s, ended)
		return
	}
	c.signals.raise(Signal{Kind: SignalUpdateDone, session: s})
	s.dialect().fileSent(c, s)
}

// failed ends a client's update.
func (updating) failed(c *Core, s *session, ended codec.TransferEnd) {
	s.version.ended = ended
	c.end(s, endUpdateFailed)
}
