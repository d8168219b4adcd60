package lead

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// slowKV is a bucket whose writes take a while of a clock that only they move.
type slowKV struct {
	jetstream.KeyValue
	now   time.Duration
	takes time.Duration
	err   error
	gets  jetstream.KeyValueEntry
}

func (kv *slowKV) write() (uint64, error) {
	kv.now += kv.takes
	return 7, kv.err
}

func (kv *slowKV) Create(context.Context, string, []byte, ...jetstream.KVCreateOpt) (uint64, error) {
	return kv.write()
}

func (kv *slowKV) Update(context.Context, string, []byte, uint64) (uint64, error) { return kv.write() }

func (kv *slowKV) Get(context.Context, string) (jetstream.KeyValueEntry, error) {
	return kv.gets, errors.Join(kv.err)
}

func leaseOn(kv *slowKV) *lease {
	kv.now = time.Hour
	return &lease{
		kv: kv, self: "manager.a", length: 3 * time.Second, nonce: 1,
		clock: func() time.Duration { return kv.now },
		wall:  func() time.Time { return time.Unix(1_700_000_000, 0) },
	}
}

// A holder counts from before it asked, for another that wants to lead counts from the
// write, which may be long before the answer came. Else two lead for a while.
func TestLease_CountsFromBeforeItWasAsked(t *testing.T) {
	t.Parallel()
	kv := &slowKV{takes: time.Second}
	l := leaseOn(kv)
	if err := l.take(context.Background(), seen{}); err != nil || l.left() != 2*time.Second {
		t.Errorf("taken: %v is left, %v", l.left(), err)
	}
	if err := l.renew(context.Background()); err != nil || l.left() != 2*time.Second {
		t.Errorf("renewed: %v is left, %v", l.left(), err)
	}
	if err := l.take(context.Background(), seen{revision: 5}); err != nil || l.left() != 2*time.Second {
		t.Errorf("taken over: %v is left, %v", l.left(), err)
	}
}

// An answer that comes when the lease is over does not make it held.
func TestLease_IsNotHeldByALateAnswer(t *testing.T) {
	t.Parallel()
	kv := &slowKV{takes: 4 * time.Second}
	l := leaseOn(kv)
	if err := l.take(context.Background(), seen{}); err != nil || l.held() {
		t.Errorf("held is %v: %v", l.held(), err)
	}
}

// Whoever cannot renew does not hold the lease any longer than it lasts, and what fails
// does not make it last.
func TestLease_EndsThoughRenewalsFail(t *testing.T) {
	t.Parallel()
	kv := &slowKV{}
	l := leaseOn(kv)
	if err := l.take(context.Background(), seen{}); err != nil || !l.held() {
		t.Fatal(err)
	}
	kv.err = errors.New("no")
	for range 3 {
		kv.takes = time.Second
		if err := l.renew(context.Background()); err == nil {
			t.Error("renewed")
		}
	}
	if l.held() {
		t.Errorf("%v is left", l.left())
	}
}

// An epoch is greater than that of the lease before, whatever the clock says, and
// follows the clock where that is ahead.
func TestLease_EpochRises(t *testing.T) {
	t.Parallel()
	l := leaseOn(&slowKV{})
	clock := uint64(l.wall().UnixMilli())
	for before, want := range map[uint64]uint64{0: clock, clock - 1: clock, clock: clock + 1, clock + 1000: clock + 1001} {
		if err := l.take(context.Background(), seen{epoch: before}); err != nil || l.epoch != want {
			t.Errorf("after %d comes %d, want %d: %v", before, l.epoch, want, err)
		}
	}
}

// The other side waits as long as the holder may hold it, also where the holder's lease
// is longer than its own, and not at all where it was given back.
func TestLease_OthersWaitAsLongAsItLasts(t *testing.T) {
	t.Parallel()
	l := leaseOn(&slowKV{})
	for _, c := range []struct {
		value string
		want  time.Duration
	}{
		{`{"holder":"manager.b","nonce":"0000000000000002","epoch":"0000000000000001","length_ms":1000}`, 3 * time.Second},
		{`{"holder":"manager.b","nonce":"0000000000000002","epoch":"0000000000000001","length_ms":9000}`, 9 * time.Second},
		{`{"holder":"","nonce":"0000000000000002","epoch":"0000000000000001","length_ms":9000}`, 0},
		{`?`, 0},
	} {
		if got := l.look(entryOf{value: []byte(c.value)}); got.wait != c.want || got.revision != 3 {
			t.Errorf("%s: %+v", c.value, got)
		}
	}
}

// entryOf is a bucket's entry with that value.
type entryOf struct {
	jetstream.KeyValueEntry
	value []byte
}

func (e entryOf) Value() []byte                   { return e.value }
func (e entryOf) Revision() uint64                { return 3 }
func (e entryOf) Operation() jetstream.KeyValueOp { return jetstream.KeyValuePut }

// A lease that another process has written is lost, also one of the same node or the
// same epoch; our own renewal whose answer was lost is not.
func TestLease_RecoversOnlyItsOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		value string
		lost  bool
	}{
		{`{"holder":"manager.a","nonce":"0000000000000001","epoch":"0000000000000009","length_ms":1}`, false},
		{`{"holder":"manager.a","nonce":"0000000000000002","epoch":"0000000000000009","length_ms":1}`, true},
		{`{"holder":"manager.a","nonce":"0000000000000001","epoch":"0000000000000008","length_ms":1}`, true},
		{`?`, true},
	} {
		l := leaseOn(&slowKV{gets: entryOf{value: []byte(c.value)}})
		l.epoch, l.revision = 9, 1
		err := l.recover(context.Background())
		if errors.Is(err, errLost) != c.lost || !c.lost && l.revision != 3 {
			t.Errorf("%s: revision %d, %v", c.value, l.revision, err)
		}
		if l.held() {
			t.Errorf("%s: recovering has renewed it", c.value)
		}
	}
}

// Who does not lead any more says nothing.
func TestReign_SaysNothingWithoutTheLease(t *testing.T) {
	t.Parallel()
	s := bustest.NewStage(t)
	kv := &slowKV{}
	manager, listener := s.Connect("manager.a"), s.Connect("world.7")
	r := &term{conn: manager, lease: leaseOn(kv), options: ManagerOptions{Logger: bustest.Log(t), Monitor: &Monitor{}}}
	heard, err := listener.Client().SubscribeSync(wire.SubjectPulse)
	if err == nil {
		err = listener.Client().Flush()
	}
	if err != nil {
		t.Fatal(err)
	}
	say := func() int {
		r.publish(wire.SubjectPulse, []byte("{}"))
		if err := errors.Join(manager.Client().Flush(), listener.Client().Flush()); err != nil {
			t.Fatal(err)
		}
		n, _, err := heard.Pending()
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	if n := say(); n != 0 {
		t.Errorf("before it held the lease %d were heard", n)
	}
	r.lease.hold(kv.now)
	if n := say(); n != 1 {
		t.Errorf("with the lease %d were heard", n)
	}
	kv.now += r.lease.length
	if n := say(); n != 1 {
		t.Errorf("after the lease %d were heard", n)
	}
}

// mute is a bucket whose watch shows nothing, not even that there is nothing.
type mute struct{ slowKV }

func (*mute) Watch(context.Context, string, ...jetstream.WatchOpt) (jetstream.KeyWatcher, error) {
	return muteWatch{}, nil
}

type muteWatch struct{ jetstream.KeyWatcher }

func (muteWatch) Updates() <-chan jetstream.KeyValueEntry { return nil }
func (muteWatch) Stop() error                             { return nil }

// A campaigner whose watch has died with the stream neither waits for ever nor takes a
// lease that it has not seen.
func TestLease_WatchThatShowsNothingIsAnError(t *testing.T) {
	t.Parallel()
	kv := &mute{}
	l := leaseOn(&kv.slowKV)
	l.kv, l.length = kv, time.Millisecond
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Patience)
	defer cancel()
	if err := l.campaign(ctx); err == nil || ctx.Err() != nil || l.revision != 0 {
		t.Errorf("revision %d, %v", l.revision, err)
	}
}
