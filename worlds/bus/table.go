package bus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
)

// table is the durable list of worlds: one key a world, its id.
type table struct {
	stream jetstream.Stream
	kv     jetstream.KeyValue
}

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
	return &table{stream: stream, kv: kv}, nil
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

// store returns when a write is durable.
func (t *table) store(ctx context.Context, w *worlds.Write) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	if w.Reset {
		return t.reset(ctx)
	}
	b, err := json.Marshal(w.Record)
	if err != nil {
		return err
	}
	_, err = t.kv.Put(ctx, worldKey(w.World), b)
	return err
}

func (t *table) reset(ctx context.Context) error {
	ids, err := t.ids(ctx)
	if err != nil {
		return err
	}
	for _, id := range ids {
		if err := t.kv.Purge(ctx, worldKey(id)); err != nil {
			return err
		}
	}
	return nil
}

func worldKey(id uint8) string { return strconv.Itoa(int(id)) }
