package gate

import (
	"gatepass/codec"
	"gatepass/codec/world"
)

// The messages that differ between the two protocols. All else is the same for both.

// challengeNative sends the challenge to a native client.
func (c *core) challengeNative(s *session) {
	c.ports.random(s.attempt.nonce[:])
	c.reply(s, &codec.Reply{
		Kind: codec.ReplyGateChallenge, Number: uint64(c.options.World.ID),
		Native: &codec.NativeReply{Nonce: s.attempt.nonce},
	})
}

// nativeSaid handles a message of a native client.
func (c *core) nativeSaid(s *session, m *codec.Message) {
	switch {
	case m.Kind == codec.KindGateHello && s.state == StateConnected:
		c.startHandshake(s, m)
	case m.Kind == codec.KindGamePacket && s.state == StateInside:
		c.heard(s)
		c.count.packets.Add(1)
		c.callPacket(s, uint32(m.Native.Opcode), m.Native.Body)
	case m.Kind == codec.KindGamePacket && s.state == StateWaiting:
		c.heard(s)
		c.count.ignored.Add(1)
	case m.Kind == codec.KindPing && (s.state == StateInside || s.state == StateWaiting):
		c.heard(s)
		c.reply(s, &codec.Reply{Kind: codec.ReplyPong, Number: m.Number})
	default:
		c.turnAway(s, RefusalOutOfPlace)
	}
}

// heard restarts IdleLimit for a client that has sent a message.
func (c *core) heard(s *session) { c.setDeadline(s, c.now+c.options.IdleLimit.Milliseconds()) }

// admission returns the message that the client is in the world.
func (c *core) admission(s *session) codec.Reply {
	if s.native {
		return codec.Reply{Kind: codec.ReplyEntered, Number: uint64(c.options.World.ID)}
	}
	return codec.Reply{Kind: codec.ReplyWorldAuth, World: c.verdict(s, world.CodeOK)}
}

// firstPlace returns the message that the client must wait, with its position. An
// existing client gets the long form. (quirk 67)
func (c *core) firstPlace(s *session, position uint32) codec.Reply {
	if s.native {
		return codec.Reply{Kind: codec.ReplyQueuePosition, Number: uint64(position)}
	}
	w := c.verdict(s, world.CodeWaitQueue)
	w.Long, w.Position = true, position
	return codec.Reply{Kind: codec.ReplyWorldAuth, World: w}
}

// placeReply returns the message with a new position in the queue.
func placeReply(w *waiter) codec.Reply {
	if w.native {
		return codec.Reply{Kind: codec.ReplyQueuePosition, Number: uint64(w.position)}
	}
	return codec.Reply{Kind: codec.ReplyWorldAuth, World: &codec.WorldReply{Code: world.CodeWaitQueue, Position: w.position}}
}

// refusal returns the message for a refused client, or ReplyNone if it gets none.
func (c *core) refusal(s *session, why Refusal) (r codec.Reply) {
	if s.native {
		if told := refusalResults[why]; told != codec.ResultOK {
			r = codec.Reply{Kind: codec.ReplyRefused, Result: told}
		}
		return r
	}
	if code := refusalCodes[why]; code != 0 {
		r = codec.Reply{Kind: codec.ReplyWorldAuth, World: c.verdict(s, code)}
	}
	return r
}

// countNative adds n to the number of native clients.
func (c *core) countNative(s *session, n int64) {
	if s.native {
		c.count.native.Add(n)
	}
}
