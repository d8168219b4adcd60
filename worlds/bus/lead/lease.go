package lead

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// leaseKey is the key of the lease in its bucket.
const leaseKey = "leader"

// lease elects the leader among the managers of a region. It is one key that is written by
// compare and swap; its value names the holder and the length of the lease.
//
// No clocks are compared. The holder counts from the moment before it sent the last
// renewal, and stops leading when the length is over, by a clock that advances while the
// machine sleeps. Another manager waits for the length from the moment it saw that renewal,
// which is later, and only then takes the key. The lease is renewed three times in its
// length, so two lost renewals do no harm.
//
// The epoch rises with every lease whatever the clocks show, because it is written by the
// same compare and swap. It follows the wall clock, so it rises even if the bucket was lost.
// Rejected: a bucket whose keys expire. It would be simpler, but loses the last epoch and
// trusts the clock of the bus.
type lease struct {
	// static after construction
	kv     jetstream.KeyValue
	self   worlds.Node
	length time.Duration
	clock  func() time.Duration
	wall   func() time.Time // for epochs
	nonce  wire.Hex64       // distinguishes two processes with the same credentials
	// wrote is called with the result of each attempt to write the key, and with nil when
	// another manager has written it: then there is a leader. May be nil.
	wrote func(error)

	// owned by the goroutine that campaigns or renews
	epoch    uint64
	revision uint64

	deadline atomic.Int64 // a time of clock; 0 if the lease is not held
}

// leaseWire is the value of the key.
type leaseWire struct {
	Holder   string     `json:"holder"` // empty if it was given back
	Nonce    wire.Hex64 `json:"nonce"`
	Epoch    wire.Hex64 `json:"epoch"`
	LengthMs uint32     `json:"length_ms"`
}

// errLost: this manager has lost the lease. errTakenOver: another manager has taken the
// lease first.
var (
	errLost      = errors.New("bus: the lease is lost")
	errTakenOver = errors.New("bus: another manager has taken the lease")
)

// held reports whether this manager holds the lease. It may be called from anywhere.
func (l *lease) held() bool { return l.left() > 0 }

// left returns for how long the lease is still held.
func (l *lease) left() time.Duration {
	return time.Duration(l.deadline.Load()) - l.clock()
}

// hold notes that an attempt that began at started has won or renewed the lease.
func (l *lease) hold(started time.Duration) {
	l.deadline.Store(int64(started + l.length))
}

// tell calls wrote.
func (l *lease) tell(err error) {
	if l.wrote != nil {
		l.wrote(err)
	}
}

// seen is the lease as a manager that wants it knows it.
type seen struct {
	revision uint64 // 0 if there is no key
	epoch    uint64
	wait     time.Duration // until the lease may be taken
}

// campaign waits until the lease is free and takes it.
func (l *lease) campaign(ctx context.Context) error {
	watch, err := l.kv.Watch(ctx, leaseKey)
	if err != nil {
		return fmt.Errorf("bus: watch the lease: %w", err)
	}
	defer func() { _ = watch.Stop() }()
	var last seen
	// A watch shows at least that there is no key. One that shows nothing is broken: the
	// stream may be gone.
	patience := time.NewTimer(max(l.length, bus.RequestTimeout))
	defer patience.Stop()
	known := false
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case entry, open := <-watch.Updates():
			if !open {
				return errors.New("bus: the lease cannot be watched any more")
			}
			if entry != nil && known {
				l.tell(nil)
			}
			known = true
			if entry != nil {
				last = l.look(entry)
			} else if last.revision > 0 {
				continue // the end of the present values
			}
			patience.Reset(last.wait)
		case <-patience.C:
			if !known {
				return errors.New("bus: the watch of the lease shows nothing")
			}
			return l.take(ctx, last)
		}
	}
}

// look returns how long to wait for a lease that was written just now.
func (l *lease) look(entry jetstream.KeyValueEntry) seen {
	s := seen{revision: entry.Revision()}
	var w leaseWire
	if entry.Operation() != jetstream.KeyValuePut || wire.DecodeJSON(entry.Value(), wire.MaxSmall, &w) != nil {
		return s
	}
	s.epoch = uint64(w.Epoch)
	if w.Holder != "" {
		s.wait = max(l.length, time.Duration(w.LengthMs)*time.Millisecond)
	}
	return s
}

// take takes the lease if it is still as it was seen last. If the answer is lost, the next
// campaign waits until this manager's own lease is over; that is rare, and safe.
func (l *lease) take(ctx context.Context, last seen) error {
	started := l.clock()
	l.epoch = max(uint64(max(0, l.wall().UnixMilli())), last.epoch+1)
	ctx, cancel := context.WithTimeout(ctx, l.length)
	defer cancel()
	var err error
	if last.revision == 0 {
		l.revision, err = l.kv.Create(ctx, leaseKey, l.value(string(l.self)))
	} else {
		l.revision, err = l.kv.Update(ctx, leaseKey, l.value(string(l.self)), last.revision)
	}
	if outdated(err) {
		return errTakenOver
	}
	l.tell(err)
	if err != nil {
		return fmt.Errorf("bus: take the lease: %w", err)
	}
	l.hold(started)
	return nil
}

// value returns the JSON of the key.
func (l *lease) value(holder string) []byte {
	return wire.EncodeJSON(leaseWire{holder, l.nonce, wire.Hex64(l.epoch), uint32(l.length.Milliseconds())})
}

// keep renews the lease until ctx ends, and returns nil, or until the lease is lost.
func (l *lease) keep(ctx context.Context) error {
	for retry.Sleep(ctx, min(l.length/3, max(0, l.left()))) {
		err := l.renew(ctx)
		for err != nil && !errors.Is(err, errLost) && l.held() && retry.Sleep(ctx, l.length/20) {
			err = l.renew(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.lose()
			return errors.Join(errLost, err)
		}
	}
	return nil
}

// lose gives up a lease that another manager has. It may be called from anywhere.
func (l *lease) lose() { l.deadline.Store(0) }

// renew tries once to renew the lease.
func (l *lease) renew(ctx context.Context) error {
	started := l.clock()
	ctx, cancel := context.WithTimeout(ctx, min(l.length/3, max(0, l.left())))
	defer cancel()
	revision, err := l.kv.Update(ctx, leaseKey, l.value(string(l.self)), l.revision)
	if outdated(err) {
		return l.recover(ctx)
	}
	l.tell(err)
	if err != nil {
		return err
	}
	l.revision = revision
	l.hold(started)
	return nil
}

// outdated reports whether a write failed because another one came first.
func outdated(err error) bool {
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}

// recover finds out whether the revision was changed by this manager's own renewal, whose
// answer was lost. It does not renew the lease.
func (l *lease) recover(ctx context.Context) error {
	entry, err := l.kv.Get(ctx, leaseKey)
	if err != nil {
		return err
	}
	var w leaseWire
	if wire.DecodeJSON(entry.Value(), wire.MaxSmall, &w) != nil || w.Nonce != l.nonce || uint64(w.Epoch) != l.epoch {
		return errLost
	}
	l.revision = entry.Revision()
	return errors.New("bus: the answer to a renewal was lost")
}

// release gives the lease back, so that another manager need not wait.
func (l *lease) release() error {
	if !l.held() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(l.left(), bus.RequestTimeout))
	defer cancel()
	l.lose()
	_, err := l.kv.Update(ctx, leaseKey, l.value(""), l.revision)
	return err
}
