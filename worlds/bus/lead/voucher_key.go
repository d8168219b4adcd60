package lead

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/wire"
)

// voucherKeyName is the key of the region's voucher key in the lease's bucket, which only
// managers can read. The first leader draws it. It outlives managers and login servers, so
// that the next leader accepts the vouchers that worlds have.
const voucherKeyName = "voucher_key"

// openVoucherKey reads the region's voucher key, or draws it if there is none. The caller
// holds the lease.
func openVoucherKey(ctx context.Context, kv jetstream.KeyValue, random io.Reader) (key worlds.Secret, err error) {
	ctx, cancel := context.WithTimeout(ctx, bus.RequestTimeout)
	defer cancel()
	entry, err := kv.Get(ctx, voucherKeyName)
	if errors.Is(err, jetstream.ErrKeyNotFound) {
		return drawVoucherKey(ctx, kv, random)
	}
	if err != nil {
		return key, fmt.Errorf("bus: read the voucher key: %w", err)
	}
	if n := len(entry.Value()); n != worlds.VoucherKeySize {
		return key, fmt.Errorf("bus: the stored voucher key has %d bytes and not %d; delete %s from the bucket %s, and the next leader draws another",
			n, worlds.VoucherKeySize, voucherKeyName, wire.BucketLease)
	}
	defer clear(entry.Value())
	return worlds.NewSecret(entry.Value()), nil
}

// drawVoucherKey draws the voucher key and stores it.
func drawVoucherKey(ctx context.Context, kv jetstream.KeyValue, random io.Reader) (key worlds.Secret, err error) {
	var drawn [worlds.VoucherKeySize]byte
	defer clear(drawn[:])
	if _, err := io.ReadFull(random, drawn[:]); err != nil {
		return key, fmt.Errorf("bus: random: %w", err)
	}
	if _, err := kv.Create(ctx, voucherKeyName, drawn[:]); err != nil {
		return key, fmt.Errorf("bus: store the voucher key: %w", err)
	}
	return worlds.NewSecret(drawn[:]), nil
}

// listedWorlds are the worlds in the list. The goroutine of the list writes it for the
// goroutine of the directory.
type listedWorlds struct {
	ids [worlds.MaxWorlds + 1]atomic.Bool
}

// follow notes which worlds are in the list now.
func (l *listedWorlds) follow(m *worlds.Manager) {
	for id := range l.ids {
		l.ids[id].Store(m.Knows(uint8(id)))
	}
}

// has reports whether a world is in the list. It may be called from anywhere.
func (l *listedWorlds) has(node worlds.Node) bool {
	id, ok := worlds.WorldOf(node)
	return ok && l.ids[id].Load()
}
