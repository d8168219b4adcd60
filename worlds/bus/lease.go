package bus

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
)

// leaseKey is the one key of the lease's bucket.
const leaseKey = "leader"

// lease is how the managers of a region agree on which of them leads: one key,
// written by compare and swap, whose value says who holds it and for how long.
//
// Nobody compares clocks. The holder counts from before it sent what renewed the
// lease, and stops leading when that time is over, by a clock that goes on while its
// machine sleeps. Whoever wants to lead waits
// that long after it saw the last renewal, which is later, and only then takes
// the key over. A held lease is renewed three times in its length, so two lost
// renewals do not matter.
//
// The epoch rises with every lease, whatever the clocks say, for it is written by
// the same compare and swap; and since it follows the wall clock it rises also
// when the bucket was lost. A bucket that ages its keys (which would be simpler)
// loses the last epoch with them, and trusts the clock of the bus.
type lease struct {
	// static after construction
	kv     jetstream.KeyValue
	self   worlds.Node
	length time.Duration
	clock  func() time.Duration
	wall   func() time.Time // for epochs
	nonce  hex64            // tells two processes with one node's credentials apart
	// wrote is told how each attempt to write the key ended: nil when it is written,
	// by whomever, which is a sign of a leader. May be nil.
	wrote func(error)

	// owned by who campaigns and renews
	epoch    uint64
	revision uint64

	deadline atomic.Int64 // a time of clock; 0 when not held
}

// leaseWire is the value of the key.
type leaseWire struct {
	Holder   string `json:"holder"` // empty when it was given back
	Nonce    hex64  `json:"nonce"`
	Epoch    hex64  `json:"epoch"`
	LengthMs uint32 `json:"length_ms"`
}

// errLost: the lease was held and is not any more. errOutrun: another manager was
// quicker to take it.
var (
	errLost   = errors.New("bus: the lease is lost")
	errOutrun = errors.New("bus: another manager has taken the lease")
)

// held tells whether the lease is held at this moment; anywhere.
func (l *lease) held() bool { return l.left() > 0 }

// left is how long it is held still.
func (l *lease) left() time.Duration {
	return time.Duration(l.deadline.Load()) - l.clock()
}

// hold notes that what was begun at started has won or renewed the lease.
func (l *lease) hold(started time.Duration) {
	l.deadline.Store(int64(started + l.length))
}

// tell tells wrote.
func (l *lease) tell(err error) {
	if l.wrote != nil {
		l.wrote(err)
	}
}

// seen is the lease as a campaigner knows it.
type seen struct {
	revision uint64 // 0 when there is no key yet
	epoch    uint64
	wait     time.Duration // until it may be taken over
}

// campaign returns when the lease is held.
func (l *lease) campaign(ctx context.Context) error {
	watch, err := l.kv.Watch(ctx, leaseKey)
	if err != nil {
		return fmt.Errorf("bus: watch the lease: %w", err)
	}
	defer func() { _ = watch.Stop() }()
	var last seen
	// A watch that shows nothing is none: the stream may have gone meanwhile.
	patience := time.NewTimer(max(l.length, requestTimeout))
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
				continue // that were all there are
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

// look tells how long to wait for a lease that somebody has written just now.
func (l *lease) look(entry jetstream.KeyValueEntry) seen {
	s := seen{revision: entry.Revision()}
	var w leaseWire
	if entry.Operation() != jetstream.KeyValuePut || decodeJSON(entry.Value(), maxSmall, &w) != nil {
		return s
	}
	s.epoch = uint64(w.Epoch)
	if w.Holder != "" {
		s.wait = max(l.length, time.Duration(w.LengthMs)*time.Millisecond)
	}
	return s
}

// take takes a lease over that was last seen so. When the answer is lost the
// next campaign waits for our own lease to end; that is rare, and always right.
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
		return errOutrun
	}
	l.tell(err)
	if err != nil {
		return fmt.Errorf("bus: take the lease: %w", err)
	}
	l.hold(started)
	return nil
}

func (l *lease) value(holder string) []byte {
	return encodeJSON(leaseWire{holder, l.nonce, hex64(l.epoch), uint32(l.length.Milliseconds())})
}

// keep renews the lease until ctx ends, which is nil, or it is lost.
func (l *lease) keep(ctx context.Context) error {
	for sleep(ctx, min(l.length/3, max(0, l.left()))) {
		err := l.renew(ctx)
		for err != nil && !errors.Is(err, errLost) && l.held() && sleep(ctx, l.length/20) {
			err = l.renew(ctx)
		}
		if err != nil && ctx.Err() == nil {
			l.lose()
			return errors.Join(errLost, err)
		}
	}
	return nil
}

// lose ends a lease that another manager has; anywhere.
func (l *lease) lose() { l.deadline.Store(0) }

// renew tries once.
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

// outdated tells whether somebody has written the key meanwhile.
func outdated(err error) bool {
	return errors.Is(err, jetstream.ErrKeyExists) || errors.Is(err, jetstream.ErrKeyRevisionMismatch)
}

// recover finds out whether it was our own renewal, whose answer was lost, that
// has changed the revision. It renews nothing.
func (l *lease) recover(ctx context.Context) error {
	entry, err := l.kv.Get(ctx, leaseKey)
	if err != nil {
		return err
	}
	var w leaseWire
	if decodeJSON(entry.Value(), maxSmall, &w) != nil || w.Nonce != l.nonce || uint64(w.Epoch) != l.epoch {
		return errLost
	}
	l.revision = entry.Revision()
	return errors.New("bus: the answer to a renewal was lost")
}

// release gives a held lease back, so that another manager need not wait.
func (l *lease) release() error {
	if !l.held() {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), min(l.left(), requestTimeout))
	defer cancel()
	l.lose()
	_, err := l.kv.Update(ctx, leaseKey, l.value(""), l.revision)
	return err
}
