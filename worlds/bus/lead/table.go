package lead

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
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/wire"
)

// table is the durable list of worlds: one key for each world, which is its id, and one key
// with the epoch of the leader that owns the table.
//
// A leader may be suspended between the check of its lease and a write, until another
// manager leads and has read the list. Therefore a new leader first writes its epoch under
// fenceKey, and every write demands that nothing was written since the writer's own last
// write. A late write of a former leader is refused.
type table struct {
	js     jetstream.JetStream
	stream jetstream.Stream
	kv     jetstream.KeyValue

	// owned by the goroutine of the list
	epoch uint64 // of this leader
	last  uint64 // the sequence of the stream's last message
}

// fenceKey holds the epoch of the leader that owns the table.
const fenceKey = "fence"

// fenceWire is its value.
type fenceWire struct {
	Epoch wire.Hex64 `json:"epoch"`
}

// errFenced: another manager, with a greater epoch, owns the table.
var errFenced = errors.New("bus: another manager has taken the list of worlds")

// openTable opens the bucket, which the server has created.
func openTable(ctx context.Context, js jetstream.JetStream) (*table, error) {
	stream, err := js.Stream(ctx, wire.StreamOf(wire.BucketWorlds))
	if err != nil {
		return nil, fmt.Errorf("bus: bucket %s: %w", wire.BucketWorlds, err)
	}
	kv, err := js.KeyValue(ctx, wire.BucketWorlds)
	if err != nil {
		return nil, fmt.Errorf("bus: bucket %s: %w", wire.BucketWorlds, err)
	}
	return &table{js: js, stream: stream, kv: kv}, nil
}

const tablePrefix = "$KV." + wire.BucketWorlds + "."

// ids returns the worlds that are or were in the table.
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

// load reads all records. A record of a newer version is an error: without it a world would
// disappear from the list. A record that cannot be read is logged and ignored, because one
// corrupt key must not leave the region without a leader.
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
			log.Error("bus: a stored world cannot be read and is ignored", "world", id, "error", err)
		default:
			all = append(all, r)
		}
	}
	return all, nil
}

// parseRecord decodes the value of a world's key.
func parseRecord(id uint8, value []byte) (r worlds.Record, err error) {
	if err = json.Unmarshal(value, &r); err == nil && r.ID != id {
		err = fmt.Errorf("it is of world %d", r.ID)
	}
	return r, err
}

// fence makes a leader the owner of the table. For the owner it only reads the sequence of
// the last message again. It returns errFenced if a later leader owns the table.
func (t *table) fence(ctx context.Context, epoch uint64) error {
	ctx, cancel := context.WithTimeout(ctx, bus.RequestTimeout)
	defer cancel()
	// The sequence is read first: another leader that takes the table in between changes it.
	info, err := t.stream.Info(ctx)
	if err != nil {
		return fmt.Errorf("bus: read the worlds: %w", err)
	}
	has, err := t.fenced(ctx)
	if err != nil {
		return fmt.Errorf("bus: read whose the worlds are: %w", err)
	}
	if has > epoch {
		return errFenced // t.last stays as it is, so that no write succeeds
	}
	t.epoch, t.last = epoch, info.State.LastSeq
	if has == epoch {
		return nil
	}
	if err := t.write(ctx, nats.NewMsg(tablePrefix+fenceKey), wire.EncodeJSON(fenceWire{wire.Hex64(epoch)})); err != nil {
		return fmt.Errorf("bus: take the worlds: %w", err)
	}
	return nil
}

// fenced returns the epoch of the leader that owns the table; 0 if there is none, or one of
// an earlier version.
func (t *table) fenced(ctx context.Context) (uint64, error) {
	entry, err := t.kv.Get(ctx, fenceKey)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	var w fenceWire
	if wire.DecodeJSON(entry.Value(), wire.MaxSmall, &w) != nil {
		return 0, nil // corrupt: the new leader replaces it
	}
	return uint64(w.Epoch), nil
}

// write writes one message unless somebody else has written since the last one.
func (t *table) write(ctx context.Context, m *nats.Msg, payload []byte) error {
	m.Data = payload
	ack, err := t.js.PublishMsg(ctx, m, jetstream.WithExpectLastSequence(t.last))
	if err != nil {
		return err
	}
	t.last = ack.Sequence
	return nil
}

// store returns nil when a write is durable. After an error it may be called again, except
// after errFenced.
func (t *table) store(ctx context.Context, w *worlds.Write) error {
	ctx, cancel := context.WithTimeout(ctx, bus.RequestTimeout)
	defer cancel()
	err := t.put(ctx, w)
	if err == nil {
		return nil
	}
	// Somebody else has written, or this leader has and the answer was lost.
	if fenced := t.fence(ctx, t.epoch); errors.Is(fenced, errFenced) {
		return fenced
	}
	return err
}

// put writes or resets once.
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

// The header that purges a key of a bucket.
const (
	headerOperation = "KV-Operation"
	operationPurge  = "PURGE"
)

// reset purges all worlds.
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
