package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// LoginBeatEvery is how often a login server should beat.
const LoginBeatEvery = time.Second

// BeatLogin begins to tell how the login server is, every so often (0 is
// LoginBeatEvery), until stop is called or the connection is closed; then it says
// once more that it drains. beat is called on a goroutine of its own; its Node and
// Incarnation are not looked at, the connection's are told.
func (c *Conn) BeatLogin(every time.Duration, beat func() worlds.LoginBeat) (stop func(), err error) {
	if every <= 0 {
		every = LoginBeatEvery
	}
	stop, err = c.spawn(func(life context.Context) {
		for ok := true; ok; ok = sleep(life, every) {
			c.beatLogin(beat())
		}
		b := beat()
		b.Draining = true
		c.beatLogin(b)
	})
	if err != nil {
		return nil, fmt.Errorf("bus: beat: %w", err)
	}
	return stop, nil
}

// beatLogin is lost while the bus is away; the next one comes soon.
func (c *Conn) beatLogin(b worlds.LoginBeat) {
	b.Incarnation = c.incarnation
	if err := c.nats.Publish(loginBeatSubject(c.self), encodeLoginBeat(&b)); err != nil {
		c.log.Debug("bus: beat not sent", "error", err)
	}
}

// WatchLogins calls f for each login server's heartbeat, until stop is called. f
// is called on one goroutine of the bus and must not block long.
func (c *Conn) WatchLogins(f func(worlds.LoginBeat)) (stop func(), err error) {
	s, err := c.nats.Subscribe(prefixLogin+"*"+suffixBeat, func(m *nats.Msg) {
		b, err := loginBeatOf(m)
		if err != nil {
			c.malformed(m, err)
			return
		}
		f(b)
	})
	if err != nil {
		return nil, fmt.Errorf("bus: watch login servers: %w", err)
	}
	return func() { _ = s.Unsubscribe() }, nil
}

func loginBeatOf(m *nats.Msg) (worlds.LoginBeat, error) {
	from, ok := loginOf(m.Subject)
	if !ok {
		return worlds.LoginBeat{}, errSender
	}
	return decodeLoginBeat(from, m.Data)
}

// malformed counts what is not understood, and says so to whoever looks closely.
func (c *Conn) malformed(m *nats.Msg, err error) {
	c.count.malformed.Add(1)
	c.log.Debug("bus: not understood", "subject", m.Subject, "error", err)
}
