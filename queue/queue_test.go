package queue

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type item struct {
	producer int
	sequence int
}

// No item is lost, doubled or reordered within a producer, and the consumer never sleeps while
// work waits: a lost wake-up would block this test.
func TestConsumer_StressKeepsOrderAndNeverSleepsOnWork(t *testing.T) {
	for _, o := range []ConsumerOptions{{}, {Lend: true}} {
		t.Run(fmt.Sprintf("lend=%v", o.Lend), func(t *testing.T) { stress(t, o) })
	}
}

func stress(t *testing.T, o ConsumerOptions) {
	const producers, each = 3, 3_000
	c := NewConsumer(o)
	shards := make([]*Shard[item], producers)
	for i := range shards {
		shards[i] = NewShard[item](c, Limits{New: 32, Hard: 64}, nil)
	}
	var wg sync.WaitGroup
	for p, s := range shards {
		wg.Go(func() { produce(s, p, each) })
	}
	// Plain variables: if two rounds ran at once, the race detector or the order would show
	// it.
	next, total := make([]int, producers), 0
	c.Run(func(ready Ready) bool {
		for i, ok := ready.Next(); ok; i, ok = ready.Next() {
			for _, v := range shards[i].Swap() {
				if v.producer != i || v.sequence != next[i] {
					t.Errorf("producer %d: got %+v, want sequence %d", i, v, next[i])
				}
				next[i]++
				total++
			}
		}
		return total < producers*each
	})
	wg.Wait()
	if r := c.poll(); r != 0 {
		t.Fatalf("shards %b still announced after everything was taken", r)
	}
}

// produce mixes the ways to push: one item, several at once, and waiting.
func produce(s *Shard[item], p, each int) {
	for i := 0; i < each; {
		switch batch := []item{{p, i}, {p, i + 1}, {p, i + 2}}; {
		case i%7 == 0 && i+3 <= each:
			s.PushAllWait(batch)
			i += 3
		case i%5 == 0 && i+3 <= each:
			i += s.PushAll(batch)
		default:
			if s.Push(&item{p, i}) {
				i++
			}
		}
	}
}

func TestConsumer_PushDuringSleepWakesOnce(t *testing.T) {
	c := NewConsumer(ConsumerOptions{})
	a := NewShard[int](c, Limits{New: 8, Hard: 8}, nil)
	b := NewShard[int](c, Limits{New: 8, Hard: 8}, nil)
	got := make(chan Ready)
	go func() { got <- c.wait() }()
	one := 1
	a.Push(&one)
	if r := <-got; r != 1 {
		t.Fatalf("ready = %b, want shard 0", r)
	}
	b.Push(&one)
	b.Push(&one)
	if r := c.wait(); r != 2 {
		t.Fatalf("ready = %b, want shard 1", r)
	}
	if n := len(c.wake); n != 0 {
		t.Fatalf("%d wake-ups left over for a consumer that was awake", n)
	}
}

// If two producers find the consumer asleep at the same time, one of them wakes it.
func TestConsumer_TwoProducersAtOnceWakeItOnce(t *testing.T) {
	c := NewConsumer(ConsumerOptions{})
	shards := []*Shard[int]{NewShard[int](c, Limits{New: 8, Hard: 8}, nil), NewShard[int](c, Limits{New: 8, Hard: 8}, nil)}
	for range 20_000 {
		if !c.sleep() {
			t.Fatal("there is work that nobody pushed")
		}
		var there atomic.Int32
		var producers sync.WaitGroup
		for _, s := range shards {
			producers.Go(func() {
				there.Add(1)
				for range 10_000 {
					if there.Load() == 2 {
						break
					}
				}
				s.Push(new(int))
			})
		}
		<-c.wake
		var seen Ready
		for seen != 3 {
			if seen |= c.wait(); seen > 3 {
				t.Fatalf("ready = %b", seen)
			}
		}
		producers.Wait()
		for _, s := range shards {
			s.Swap()
		}
		if n := len(c.wake); n != 0 {
			t.Fatalf("%d wake-ups left over", n)
		}
	}
}

// A producer runs a sleeping consumer that lends: when Push returns, the round is over. Work
// beyond lentRounds goes to the consumer's own goroutine.
func TestConsumer_LendsItsRoundsToWhoeverFindsItAsleep(t *testing.T) {
	c := NewConsumer(ConsumerOptions{Lend: true})
	s := NewShard[int](c, Limits{New: 8, Hard: 8}, nil)
	again := NewShard[int](c, Limits{New: 8, Hard: 8}, nil)
	done := make(chan struct{})
	var taken []int
	go func() {
		defer close(done)
		c.Run(func(ready Ready) bool {
			for i, ok := ready.Next(); ok; i, ok = ready.Next() {
				if i == again.Index() {
					taken = append(taken, again.Swap()...)
					continue
				}
				for _, v := range s.Swap() {
					taken = append(taken, v)
					for range v {
						again.Push(&v) // more work within the round
					}
				}
			}
			return len(taken) < 4
		})
	}()
	for c.Stats().Sleeps == 0 {
		runtime.Gosched()
	}
	zero, two := 0, 2
	s.Push(&zero)
	if len(taken) != 1 || c.Stats().Lent == 0 {
		t.Fatalf("taken = %v, lent = %d: the round was not run by the push", taken, c.Stats().Lent)
	}
	s.Push(&two)
	<-done
	if len(taken) != 4 {
		t.Fatalf("taken = %v", taken)
	}
}

// The producer gets the panic of a lent round. The consumer's own goroutine continues.
func TestConsumer_PanicInALentRoundDoesNotStopTheConsumer(t *testing.T) {
	c := NewConsumer(ConsumerOptions{Lend: true})
	s := NewShard[int](c, Limits{New: 8, Hard: 8}, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		c.Run(func(Ready) bool {
			for _, v := range s.Swap() {
				if v == 13 {
					panic("a bug")
				}
				if v == 0 {
					return false
				}
			}
			return true
		})
	}()
	for c.Stats().Sleeps == 0 {
		runtime.Gosched()
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the producer did not get the panic")
			}
		}()
		bad := 13
		s.Push(&bad)
	}()
	end := 0
	s.Push(&end)
	<-done
}

func TestShard_RefusesNewWorkBeforeRunningWork(t *testing.T) {
	room := 0
	c := NewConsumer(ConsumerOptions{})
	s := NewShard[int](c, Limits{New: 2, Hard: 3}, func() { room++ })
	v := 7
	for i, want := range []bool{true, true, false} {
		if got := s.PushNew(&v); got != want {
			t.Fatalf("PushNew %d = %v, want %v", i, got, want)
		}
	}
	if !s.Push(&v) || s.Push(&v) {
		t.Fatal("Push must take a third and refuse a fourth")
	}
	if n := s.PushAll([]int{1, 2}); n != 0 {
		t.Fatalf("PushAll took %d over the limit", n)
	}
	if got := len(s.Swap()); got != 3 || room != 1 {
		t.Fatalf("swap took %d items and called room %d times, want 3 and 1", got, room)
	}
	if got := len(s.Swap()); got != 0 || room != 1 {
		t.Fatalf("second swap took %d items, room called %d times, want 0 and 1", got, room)
	}
	if st := s.Stats(); st.Refused != 4 || st.Taken != 3 {
		t.Fatalf("stats = %+v, want 4 refused, 3 taken", st)
	}
}

func TestShard_SteadyStateAllocatesNothing(t *testing.T) {
	c := NewConsumer(ConsumerOptions{})
	s := NewShard[[300]byte](c, Limits{New: 64, Hard: 64}, nil)
	var v [300]byte
	round := func() {
		for range 32 {
			s.Push(&v)
		}
		c.wait()
		s.Swap()
	}
	round()
	round()
	if n := testing.AllocsPerRun(100, round); n != 0 {
		t.Fatalf("%v allocations a round, want 0", n)
	}
}

func TestNewShard_PanicsOnBadLimits(t *testing.T) {
	for _, l := range []Limits{{}, {New: 2, Hard: 1}, {New: 0, Hard: 1}} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("limits %+v: no panic", l)
				}
			}()
			NewShard[int](NewConsumer(ConsumerOptions{}), l, nil)
		}()
	}
}

// A producer that waits for room is woken by the next swap, also when others have filled the
// room of the swap before.
func TestShard_PushAllWait_IsNotForgottenWhenOthersFillTheRoom(t *testing.T) {
	s := NewShard[int](NewConsumer(ConsumerOptions{}), Limits{New: 2, Hard: 2}, nil)
	full := []int{1, 2}
	s.PushAll(full)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.PushAllWait(full)
	}()
	starved := func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.starved
	}
	for !starved() {
		runtime.Gosched()
	}
	// A swap, after which other producers are faster than the woken one.
	s.mu.Lock()
	s.starved = false
	s.waiters.Broadcast()
	s.mu.Unlock()
	for deadline := time.Now().Add(10 * time.Second); !starved(); runtime.Gosched() {
		if time.Now().After(deadline) {
			t.Fatal("the producer waits, and no swap will wake it")
		}
	}
	s.Swap()
	<-done
}

func TestShard_Close_LetsWaitingProducersGo(t *testing.T) {
	c := NewConsumer(ConsumerOptions{})
	s := NewShard[int](c, Limits{New: 1, Hard: 1}, nil)
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.PushAllWait([]int{1, 2, 3})
	}()
	for s.Stats().Refused == 0 {
		runtime.Gosched()
	}
	s.Close()
	<-done
	one := 1
	if !s.Push(&one) || s.PushAll([]int{1, 2}) != 2 || s.Stats().Len != 0 {
		t.Fatal("a closed shard must take everything and keep nothing")
	}
}

// After a push was refused at the hard limit, the next swap calls room. Without that, nobody
// would call the producer again. This holds for each way to push. It does not hold for a
// PushNew that was refused below the hard limit.
func TestShard_TellsOfRoomAfterEachWayToBeRefused(t *testing.T) {
	v := 7
	for name, c := range map[string]struct {
		fill int
		push func(s *Shard[int]) bool
		room int
	}{
		"Push at the hard limit":    {3, func(s *Shard[int]) bool { return s.Push(&v) }, 1},
		"PushNew at the hard limit": {3, func(s *Shard[int]) bool { return s.PushNew(&v) }, 1},
		"PushAll at the hard limit": {3, func(s *Shard[int]) bool { return s.PushAll([]int{1}) > 0 }, 1},
		"PushAll of too many":       {2, func(s *Shard[int]) bool { return s.PushAll([]int{1, 2}) > 1 }, 1},
		"PushNew below it":          {2, func(s *Shard[int]) bool { return s.PushNew(&v) }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			room := 0
			s := NewShard[int](NewConsumer(ConsumerOptions{}), Limits{New: 2, Hard: 3}, func() { room++ })
			for range c.fill {
				s.Push(&v)
			}
			if c.push(s) {
				t.Fatal("it was not refused")
			}
			s.Swap()
			if room != c.room {
				t.Errorf("told of room %d times, want %d", room, c.room)
			}
			s.Swap()
			if room != c.room {
				t.Error("told again of the same room")
			}
		})
	}
}

// The producer keeps what a full shard refuses, and continues with the next swap. Nothing is
// lost and no producer sleeps forever, for each way to push.
func TestShard_ProducerThatPushesOneByOneIsNotForgotten(t *testing.T) {
	const items = 1000
	c := NewConsumer(ConsumerOptions{})
	again := make(chan struct{}, 1)
	s := NewShard[int](c, Limits{New: 1, Hard: 1}, func() {
		select {
		case again <- struct{}{}:
		default:
		}
	})
	go func() {
		for i := 0; i < items; i++ {
			for !s.Push(&i) {
				<-again
			}
		}
	}()
	next := 0
	c.Run(func(Ready) bool {
		for _, v := range s.Swap() {
			if v != next {
				t.Errorf("%d, want %d", v, next)
			}
			next++
		}
		return next < items
	})
}
