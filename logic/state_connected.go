package logic

import (
	"time"

	"gatepass/codec"
	"gatepass/storage"
)

// connected waits for the client's first word: which account, by password or by
// the key of an earlier login.
type connected struct{}

func (connected) Enter(*Core, *session) {}
func (connected) Leave(*Core, *session) {}

func (connected) Limit(o *Options) time.Duration { return o.ConnectedLimit }

func (connected) Process(c *Core, s *session, m *codec.Message) {
	s.build = m.Hello.Build
	s.returning = m.Kind == codec.KindReconnectChallenge
	if s.native != nil {
		s.native.signIn = m.Native
	}
	name, err := storage.FoldName(m.Hello.Name.Bytes())
	if err != nil {
		// No account can have such a name; saying so tells nobody anything.
		c.refuse(s, refusals[m.Kind], codec.ResultBadCredentials)
		return
	}
	s.name = name
	c.judge(s, &m.Hello)
	c.raise(Event{Kind: EventHello, conn: s.conn, message: m.Kind})
}

// greeted goes on when no filter objected to who the client says it is.
func (c *Core) greeted(s *session) {
	c.become(s, StateLookingUp)
}
