package bus

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/deadline"
	"gatepass/worlds"
)

// mustLease is one that nobody holds yet, for a manager with a nonce.
func (s *stage) mustLease(node worlds.Node, nonce hex64) *lease {
	s.tb.Helper()
	js, err := jetstream.New(s.connect(node).nats)
	if err != nil {
		s.tb.Fatal(err)
	}
	kv, err := js.KeyValue(context.Background(), bucketLease)
	if err != nil {
		s.tb.Fatal(err)
	}
	return &lease{kv: kv, self: node, length: time.Second, clock: deadline.Now, wall: time.Now, nonce: nonce}
}

func (l *lease) mustWin(t *testing.T) *lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := l.campaign(ctx); err != nil || !l.held() {
		t.Fatal(l.held(), err)
	}
	return l
}

func TestLease_RenewalWhoseAnswerWasLostIsRecovered(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := newStage(t).mustLease("manager.a", 1).mustWin(t)
	if _, err := l.kv.Put(ctx, leaseKey, l.value("manager.a")); err != nil {
		t.Fatal(err)
	}
	if err := l.renew(ctx); err == nil || errors.Is(err, errLost) {
		t.Error(err)
	}
	if err := l.renew(ctx); err != nil {
		t.Error(err)
	}
}

func TestLease_TakenByAnotherIsLost(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	l := s.mustLease("manager.a", 1).mustWin(t)
	if _, err := l.kv.Put(context.Background(), leaseKey, (&lease{nonce: 2, epoch: l.epoch}).value("manager.a")); err != nil {
		t.Fatal(err)
	}
	if err := l.keep(context.Background()); !errors.Is(err, errLost) || l.held() {
		t.Error(l.held(), err)
	}
}

func TestLease_IsTakenOverOnlyWhenItIsOver(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	first := s.mustLease("manager.a", 1).mustWin(t)
	second := s.mustLease("manager.b", 2).mustWin(t)
	if first.held() {
		t.Error("two hold it")
	}
	if second.epoch <= first.epoch {
		t.Errorf("epochs %d, %d", first.epoch, second.epoch)
	}
	if err := first.renew(context.Background()); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the first renewed: %v", err)
	}
}

func TestLease_OnlyOneOfTwoTakesIt(t *testing.T) {
	t.Parallel()
	s := newStage(t)
	a, b := s.mustLease("manager.a", 1), s.mustLease("manager.b", 2)
	if err := a.take(context.Background(), seen{}); err != nil {
		t.Fatal(err)
	}
	if err := b.take(context.Background(), seen{}); !errors.Is(err, errOutrun) || b.held() {
		t.Error(b.held(), err)
	}
	if err := a.release(); err != nil || a.held() {
		t.Error(a.held(), err)
	}
	started := time.Now()
	b.length = time.Minute
	b.mustWin(t)
	if time.Since(started) > 30*time.Second {
		t.Error("a lease that was given back was waited for")
	}
}

// A lease is over when its time is, whatever the wall clock shows: it is not held by a
// machine that has slept, and not lost by one whose clock was set.
func TestLease_CountsByTheClockThatGoesOnWhileTheMachineSleeps(t *testing.T) {
	slept, set := time.Duration(0), time.Duration(0)
	l := &lease{
		length: time.Minute,
		clock:  func() time.Duration { return time.Hour + slept },
		wall:   func() time.Time { return time.Now().Add(set) },
	}
	l.hold(l.clock())
	for _, set = range []time.Duration{-1000 * time.Hour, 1000 * time.Hour} {
		if !l.held() {
			t.Errorf("lost because the wall clock was set by %v", set)
		}
	}
	if slept = time.Minute; l.held() {
		t.Error("held by a machine that has slept for as long as it lasts")
	}
}

func TestLease_UnreadableValueIsTakenOver(t *testing.T) {
	t.Parallel()
	l := newStage(t).mustLease("manager.a", 1)
	if _, err := l.kv.Put(context.Background(), leaseKey, []byte("?")); err != nil {
		t.Fatal(err)
	}
	l.mustWin(t)
}
