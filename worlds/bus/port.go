package bus

import (
	"context"
	"log/slog"

	"github.com/nats-io/nats.go"

	"gatepass/worlds/bus/internal/retry"
)

// The methods in this file are for package lead, which runs a world manager on a
// connection. They may be called from anywhere.

// Client returns the NATS client of the connection.
func (c *Conn) Client() *nats.Conn { return c.nats }

// Logger returns the connection's logger.
func (c *Conn) Logger() *slog.Logger { return c.log }

// Publish sends a message and counts it as sent or dropped.
func (c *Conn) Publish(subject string, payload []byte) error {
	if err := c.nats.Publish(subject, payload); err != nil {
		c.count.dropped.Add(1)
		return err
	}
	c.count.sent.Add(1)
	return nil
}

// CountReceived counts a message that was received.
func (c *Conn) CountReceived() { c.count.received.Add(1) }

// CountMalformed counts a message that cannot be decoded, and logs it at level debug.
func (c *Conn) CountMalformed(m *nats.Msg, err error) {
	c.count.malformed.Add(1)
	c.log.Debug("bus: malformed message", "subject", m.Subject, "error", err)
}

// HeardLeader notes a sign of a leader: the lease was written.
func (c *Conn) HeardLeader() { c.leader.hear(c.clock()) }

// WatchLeader begins to log when no world manager leads, until Close. It may be called
// again.
func (c *Conn) WatchLeader() error {
	if !c.leader.begin(c.clock()) {
		return nil
	}
	_, err := c.spawn(func(life context.Context) {
		for retry.Sleep(life, c.leader.silence/6) {
			c.tellLeader()
		}
	})
	return err
}
