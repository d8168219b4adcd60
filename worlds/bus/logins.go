package bus

import (
	"context"
	"fmt"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// LoginBeatEvery is the default time between two heartbeats of a login server.
const LoginBeatEvery = time.Second

// BeatLogin sends a heartbeat of the login server every so often (0 is LoginBeatEvery),
// until stop is called or the connection is closed; the last heartbeat says that it drains.
// beat is called on a goroutine of the connection. Its Node and Incarnation are ignored: the
// connection's are sent.
func (c *Conn) BeatLogin(every time.Duration, beat func() worlds.LoginBeat) (stop func(), err error) {
	if every <= 0 {
		every = LoginBeatEvery
	}
	stop, err = c.spawn(func(life context.Context) {
		for ok := true; ok; ok = retry.Sleep(life, every) {
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

// beatLogin sends one heartbeat. It is lost while the bus is away.
func (c *Conn) beatLogin(b worlds.LoginBeat) {
	b.Incarnation = c.incarnation
	if err := c.nats.Publish(wire.LoginBeatSubject(c.self), wire.EncodeLoginBeat(&b)); err != nil {
		c.log.Debug("bus: beat not sent", "error", err)
	}
}

// WatchLogins calls f for each heartbeat of a login server, until stop is called. f is
// called on one goroutine of the connection and must not block for long.
func (c *Conn) WatchLogins(f func(worlds.LoginBeat)) (stop func(), err error) {
	s, err := c.nats.Subscribe(wire.PrefixLogin+"*"+wire.SuffixBeat, func(m *nats.Msg) {
		b, err := LoginBeatOf(m)
		if err != nil {
			c.CountMalformed(m, err)
			return
		}
		f(b)
	})
	if err != nil {
		return nil, fmt.Errorf("bus: watch login servers: %w", err)
	}
	return func() { _ = s.Unsubscribe() }, nil
}

// LoginBeatOf decodes a heartbeat; the subject names the login server.
func LoginBeatOf(m *nats.Msg) (worlds.LoginBeat, error) {
	from, ok := wire.LoginOf(m.Subject)
	if !ok {
		return worlds.LoginBeat{}, wire.ErrSender
	}
	return wire.DecodeLoginBeat(from, m.Data)
}
