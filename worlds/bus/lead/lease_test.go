package lead

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/deadline"
	"gatepass/worlds"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// mustLease is one that nobody holds yet, for a manager with a nonce.
func mustLease(s *bustest.Stage, node worlds.Node, nonce wire.Hex64) *lease {
	s.TB.Helper()
	js, err := jetstream.New(s.Connect(node).Client())
	if err != nil {
		s.TB.Fatal(err)
	}
	kv, err := js.KeyValue(context.Background(), wire.BucketLease)
	if err != nil {
		s.TB.Fatal(err)
	}
	return &lease{kv: kv, self: node, length: time.Second, clock: deadline.Now, wall: time.Now, nonce: nonce}
}

func (l *lease) mustWin(t *testing.T) *lease {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Patience)
	defer cancel()
	if err := l.campaign(ctx); err != nil || !l.held() {
		t.Fatal(l.held(), err)
	}
	return l
}

func TestLease_RenewalWhoseAnswerWasLostIsRecovered(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	l := mustLease(bustest.NewStage(t), "manager.a", 1).mustWin(t)
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
	s := bustest.NewStage(t)
	l := mustLease(s, "manager.a", 1).mustWin(t)
	if _, err := l.kv.Put(context.Background(), leaseKey, (&lease{nonce: 2, epoch: l.epoch}).value("manager.a")); err != nil {
		t.Fatal(err)
	}
	if err := l.keep(context.Background()); !errors.Is(err, errLost) || l.held() {
		t.Error(l.held(), err)
	}
}

func TestLease_IsTakenOverOnlyWhenItIsOver(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	first := mustLease(s, "manager.a", 1).mustWin(t)
	second := mustLease(s, "manager.b", 2).mustWin(t)
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
	s := bustest.NewStage(t)
	a, b := mustLease(s, "manager.a", 1), mustLease(s, "manager.b", 2)
	if err := a.take(context.Background(), seen{}); err != nil {
		t.Fatal(err)
	}
	if err := b.take(context.Background(), seen{}); !errors.Is(err, errTakenOver) || b.held() {
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
	l := mustLease(bustest.NewStage(t), "manager.a", 1)
	if _, err := l.kv.Put(context.Background(), leaseKey, []byte("?")); err != nil {
		t.Fatal(err)
	}
	l.mustWin(t)
}
