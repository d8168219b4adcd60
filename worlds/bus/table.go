package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
)

// table is the durable list of worlds: one key a world, its id, and one that says
// which leader's it is.
//
// Who leads may stand still between a look at its lease and a write, until another
// leads that has read the list. So a new leader first writes its epoch under fenceKey,
// and every write demands that nothing was written since the writer's own last write:
// one of a manager that was overtaken is refused, whenever it comes.
type table struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	kv     jetstream.KeyValue

	// owned by the goroutine of the list
	epoch uint64 // of the leader that has it
	last  uint64 // the sequence of the stream's last message
}

// fenceKey is the key of the leader whose table it is.
const fenceKey = "fence"

// fenceWire is its value.
type fenceWire struct {
	Epoch hex64 `json:"epoch"`
}

// errFenced: another manager has the table, whose epoch is greater.
var errFenced = errors.New("bus: another manager has taken the list of worlds")

// openTable finds the bucket, which the server has made.
func openTable(ctx context.Context, js jetstream.JetStream) (*table, error) {
	stream, err := js.Stream(ctx, streamOf(bucketWorlds))
	if err != nil {
		return nil, fmt.Errorf("bus: bucket %s: %w", bucketWorlds, err)
	}
	kv, err := js.KeyValue(ctx, bucketWorlds)
	if err != nil {
		return nil, fmt.Errorf("bus: bucket %s: %w", bucketWorlds, err)
	}
	return &table{js: js, stream: stream, kv: kv}, nil
}

const tablePrefix = "$KV." + bucketWorlds + "."

// ids are the worlds that are, or were, in the table.
func (t *table) ids(ctx context.Context) ([]uint8, error) {
	info, err := t.stream.Info(ctx, jetstream.WithSubjectFilter(tablePrefix+"*"))
	if err != nil {
		return nil, err
	}
	var ids []uint8
	for subject := range info.State.Subjects {
		if id, err := strconv.ParseUint(strings.TrimPrefix(subject, tablePrefix), 10, 8); err == nil && id > 0 {
			ids = append(ids, uint8(id))
		}
	}
	return ids, nil
}

// load reads all records. One that a newer version has written stops it: to lead
// without it would make a world vanish. What is no record at all is left out, and
// told: one spoilt key must not keep a region without a manager.
func (t *table) load(ctx context.Context, log *slog.Logger) ([]worlds.Record, error) {
	ids, err := t.ids(ctx)
	if err != nil {
		return nil, fmt.Errorf("bus: read the worlds: %w", err)
	}
	var all []worlds.Record
	for _, id := range ids {
		entry, err := t.kv.Get(ctx, worldKey(id))
		if errors.Is(err, jetstream.ErrKeyNotFound) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("bus: read world %d: %w", id, err)
		}
		r, err := parseRecord(id, entry.Value())
		switch {
		case errors.Is(err, worlds.ErrNewerFormat):
			return nil, fmt.Errorf("bus: read world %d: %w", id, err)
		case err != nil:
			log.Error("bus: a stored world cannot be read and is left out", "world", id, "error", err)
		default:
			all = append(all, r)
		}
	}
	return all, nil
}

// parseRecord reads what is stored under a world's key.
func parseRecord(id uint8, value []byte) (r worlds.Record, err error) {
	if err = json.Unmarshal(value, &r); err == nil && r.ID != id {
		err = fmt.Errorf("it is of world %d", r.ID)
	}
	return r, err
}

// fence takes the table for a leader, or finds out again what its last message is. It
// is errFenced where a later leader has it.
func (t *table) fence(ctx context.Context, epoch uint64) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	// The order matters: who takes the table in between changes the last sequence.
	info, err := t.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("bus: read the worlds: %w", err)
	}
	has, err := t.fenced(ctx)
	if err != nil {
		return fmt.Errorf("bus: read whose the worlds are: %w", err)
	}
	if has > epoch {
		return errFenced // and what was the last message stays, so that no write succeeds
	}
	t.epoch, t.last = epoch, info.State.LastSeq
	if has == epoch {
		return nil
	}
	if err := t.write(ctx, nats.NewMsg(tablePrefix+fenceKey), encodeJSON(fenceWire{hex64(epoch)})); err != nil {
		return fmt.Errorf("bus: take the worlds: %w", err)
	}
	return nil
}

// fenced is the epoch of the leader that has the table; 0 for none, or one of an
// earlier version.
func (t *table) fenced(ctx context.Context) (uint64, error) {
	entry, err := t.kv.Get(ctx, fenceKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var w fenceWire
	if decodeJSON(entry.Value(), maxSmall, &w) != nil {
		return 0, nil // spoilt: the next leader writes it anew
	}
	return uint64(w.Epoch), nil
}

// write writes one message, if nothing was written meanwhile by anybody else.
func (t *table) write(ctx context.Context, m *nats.Msg, payload []byte) error {
	m.Data = payload
	ack, err := t.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequence(t.last))
	if err != nil {
		return err
	}
	t.last = ack.Sequence
	return nil
}

// store returns when a write is durable. After an error it may be tried again, but not
// after errFenced.
func (t *table) store(ctx context.Context, w *worlds.Write) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	err := t.put(ctx, w)
	if err == nil {
		return nil
	}
	// Somebody has written, or it was we, and the answer was lost.
	if fenced := t.fence(ctx, t.epoch); errors.Is(fenced, errFenced) {
		return fenced
	}
	return err
}

func (t *table) put(ctx context.Context, w *worlds.Write) error {
	if w.Reset {
		return t.reset(ctx)
	}
	b, err := json.Marshal(w.Record)
	if err != nil {
		return err
	}
	return t.write(ctx, nats.NewMsg(tablePrefix+worldKey(w.World)), b)
}

// The headers with which a bucket's key is purged.
const (
	headerOperation = "KV-Operation"
	operationPurge  = "PURGE"
)

func (t *table) reset(ctx context.Context) error {
	ids, err := t.ids(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		m := nats.NewMsg(tablePrefix + worldKey(id))
		m.Header.Set(headerOperation, operationPurge)
		m.Header.Set(jetstream.MsgRollup, jetstream.MsgRollupSubject)
		if err := t.write(ctx, m, nil); err != nil {
			return err
		}
	}
	return nil
}

func worldKey(id uint8) string { return strconv.Itoa(int(id)) }
