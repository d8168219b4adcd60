package queue

import (
	"runtime"
	"sync"
	"testing"
)

// message has the size of a message in the logic's inbox.
type message [304]byte

const (
	benchProducers = 2
	benchCapacity  = 4096
)

// BenchmarkHandOver moves messages from two producers to one consumer in three ways. Compare
// the sub-benchmarks of one run.
func BenchmarkHandOver(b *testing.B) {
	b.Run("by=shards", benchShards)
	b.Run("by=channel", benchChannel)
	b.Run("by=mutex-slice", benchMutexSlice)
}

func share(b *testing.B, producer int) int {
	n := b.N / benchProducers
	if producer == 0 {
		n += b.N % benchProducers
	}
	return n
}

func runProducers(b *testing.B, push func(producer int, m *message)) *sync.WaitGroup {
	var wg sync.WaitGroup
	for p := range benchProducers {
		wg.Go(func() {
			var m message
			for range share(b, p) {
				push(p, &m)
			}
		})
	}
	return &wg
}

// consume reads each message in place, as the logic does.
func consume(batch []message) int {
	for i := range batch {
		if batch[i][0] != 0 {
			panic("a message changed under way")
		}
	}
	return len(batch)
}

func checkSum(b *testing.B, sum byte) {
	if sum != 0 {
		b.Fatal("a message changed under way")
	}
}

func benchShards(b *testing.B) {
	b.ReportAllocs()
	c := NewConsumer(ConsumerOptions{})
	var shards [benchProducers]*Shard[message]
	for i := range shards {
		shards[i] = NewShard[message](c, Limits{New: benchCapacity, Hard: benchCapacity}, nil)
	}
	b.ResetTimer()
	wg := runProducers(b, func(p int, m *message) {
		for !shards[p].Push(m) {
			runtime.Gosched()
		}
	})
	got := 0
	c.Run(func(ready Ready) bool {
		for i, ok := ready.Next(); ok; i, ok = ready.Next() {
			got += consume(shards[i].Swap())
		}
		return got < b.N
	})
	wg.Wait()
}

func benchChannel(b *testing.B) {
	b.ReportAllocs()
	ch := make(chan message, benchCapacity)
	b.ResetTimer()
	wg := runProducers(b, func(_ int, m *message) { ch <- *m })
	var sum byte
	for range b.N {
		m := <-ch
		sum += m[0]
	}
	checkSum(b, sum)
	wg.Wait()
}

func benchMutexSlice(b *testing.B) {
	b.ReportAllocs()
	var mu sync.Mutex
	var items []message
	more := make(chan struct{}, 1)
	b.ResetTimer()
	wg := runProducers(b, func(_ int, m *message) {
		mu.Lock()
		items = append(items, *m)
		mu.Unlock()
		select {
		case more <- struct{}{}:
		default:
		}
	})
	for got := 0; got < b.N; {
		<-more
		mu.Lock()
		batch := items
		items = nil
		mu.Unlock()
		got += consume(batch)
	}
	wg.Wait()
}
