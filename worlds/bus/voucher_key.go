package bus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync/atomic"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
)

// voucherKeyName is where the region's voucher key is, in the lease's bucket: managers
// alone may read it. The first leader draws it; it outlives managers and login servers,
// so that what worlds have of login servers is good for whoever leads next.
const voucherKeyName = "voucher_key"

// openVoucherKey reads the region's voucher key, or draws it. Only who holds the lease
// may call it.
func openVoucherKey(ctx context.Context, kv jetstream.KeyValue, random io.Reader) (key worlds.Secret, err error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
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
			n, worlds.VoucherKeySize, voucherKeyName, bucketLease)
	}
	defer clear(entry.Value())
	return worlds.NewSecret(entry.Value()), nil
}

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

// listed are the worlds that the list has: the goroutine of the list tells that of the
// directory.
type listed struct {
	ids [worlds.MaxWorlds + 1]atomic.Bool
}

// follow notes what the list has now.
func (l *listed) follow(m *worlds.Manager) {
	for id := range l.ids {
		l.ids[id].Store(m.Knows(uint8(id)))
	}
}

// has tells whether the list has a world; anywhere.
func (l *listed) has(node worlds.Node) bool {
	id, ok := worlds.WorldOf(node)
	return ok && l.ids[id].Load()
}
