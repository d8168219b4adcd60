package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/valyala/bytebufferpool"

	"gatepass/worlds"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// ErrNobodyLeads: no world manager leads.
var ErrNobodyLeads = errors.New("bus: no world manager leads")

// ask sends a request to the leading manager. While no manager leads, as for some seconds
// after one has stopped, it tries again until ctx ends.
func (c *Conn) ask(ctx context.Context, subject string, payload []byte) ([]byte, error) {
	for {
		answer, err := c.request(ctx, subject, payload)
		if !errors.Is(err, nats.ErrNoResponders) {
			return answer, err
		}
		if !retry.Sleep(ctx, askEvery) {
			return nil, ErrNobodyLeads
		}
	}
}

// askEvery is the pause between two attempts.
const askEvery = 100 * time.Millisecond

// Worlds asks the leading manager for its list. ctx bounds the wait for a leader.
func (c *Conn) Worlds(ctx context.Context) (worlds.Snapshot, error) {
	answer, err := c.ask(ctx, wire.SubjectSnapshot, []byte("{}"))
	if err != nil {
		return worlds.Snapshot{}, err
	}
	s, err := wire.DecodeSnapshot(answer)
	if err != nil {
		return worlds.Snapshot{}, err
	}
	return *s, nil
}

// Logins asks the leading manager for the login servers that it hears.
func (c *Conn) Logins(ctx context.Context) ([]worlds.LoginBeat, error) {
	answer, err := c.ask(ctx, wire.SubjectLogins, []byte("{}"))
	if err != nil {
		return nil, err
	}
	return wire.DecodeLogins(answer)
}

// errReset: the manager refused.
var errReset = errors.New("bus: the manager could not store the reset")

// Reset empties the stored list of worlds. Worlds that run register again with their next
// heartbeat.
func (c *Conn) Reset(ctx context.Context) error {
	answer, err := c.ask(ctx, wire.SubjectReset, []byte("{}"))
	if err != nil {
		return err
	}
	if r, err := wire.DecodeRegisterReply(answer); err != nil || !r.OK {
		return errors.Join(errReset, err)
	}
	return nil
}

// ReportCharacters tells all login servers how many characters accounts have in this
// connection's world. A lost message is not repeated: a world reports an account when its
// player enters and when its characters change.
func (c *Conn) ReportCharacters(world uint8, counts []worlds.CharacterCount) error {
	payload := bytebufferpool.Get() // Publish copies it
	defer bytebufferpool.Put(payload)
	for len(counts) > 0 {
		some := counts[:min(len(counts), wire.MaxEntries)]
		counts = counts[len(some):]
		payload.B = wire.AppendCharacters(payload.B[:0], some)
		if err := c.nats.Publish(wire.WorldSubject(world, wire.SuffixCharacters), payload.B); err != nil {
			return err
		}
	}
	return nil
}
