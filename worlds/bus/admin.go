package bus

import (
	"context"
	"errors"
	"time"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// ErrNobodyLeads: no manager leads just now.
var ErrNobodyLeads = errors.New("bus: no world manager leads")

// ask asks the leading manager. While none leads, as for some seconds after one has
// ended, it asks again until ctx is over.
func (c *Conn) ask(ctx context.Context, subject string, payload []byte) ([]byte, error) {
	for {
		answer, err := c.request(ctx, subject, payload)
		if !errors.Is(err, nats.ErrNoResponders) {
			return answer, err
		}
		if !sleep(ctx, askEvery) {
			return nil, ErrNobodyLeads
		}
	}
}

// askEvery is the pause between two tries.
const askEvery = 100 * time.Millisecond

// Worlds asks the leading manager for its list; ctx bounds the wait for one.
func (c *Conn) Worlds(ctx context.Context) (worlds.Snapshot, error) {
	answer, err := c.ask(ctx, subjectSnapshot, []byte("{}"))
	if err != nil {
		return worlds.Snapshot{}, err
	}
	s, err := decodeSnapshot(answer)
	if err != nil {
		return worlds.Snapshot{}, err
	}
	return *s, nil
}

// Logins asks the leading manager for the login servers that it hears.
func (c *Conn) Logins(ctx context.Context) ([]worlds.LoginBeat, error) {
	answer, err := c.ask(ctx, subjectLogins, []byte("{}"))
	if err != nil {
		return nil, err
	}
	return decodeLogins(answer)
}

// errReset is a manager's no.
var errReset = errors.New("bus: the manager could not store the reset")

// Reset empties the list of worlds, durably: maintenance. Worlds that run add
// themselves again with their next heartbeat.
func (c *Conn) Reset(ctx context.Context) error {
	answer, err := c.ask(ctx, subjectReset, []byte("{}"))
	if err != nil {
		return err
	}
	if r, err := decodeRegisterReply(answer); err != nil || !r.OK {
		return errors.Join(errReset, err)
	}
	return nil
}

// ReportCharacters tells the login servers how many characters accounts have in
// this connection's own world. What gets lost is not repeated: a world reports
// an account when it comes in and when its characters change.
func (c *Conn) ReportCharacters(world uint8, counts []worlds.CharacterCount) error {
	for len(counts) > 0 {
		some := counts[:min(len(counts), maxEntries)]
		counts = counts[len(some):]
		if err := c.nats.Publish(worldSubject(world, suffixCharacters), encodeCharacters(some)); err != nil {
			return err
		}
	}
	return nil
}
