package storagetest

import (
	"sync"
	"testing"

	"gatepass/storage"
)

// Each request taken gets exactly one result, also while the store closes.
func testCloseUnderLoad(t *testing.T, newEngine NewEngine) {
	var mu sync.Mutex
	got := map[uint64]int{}
	p, err := newEngine(t).Open(storage.OpenOptions{Deliver: func(rs []storage.Result) {
		mu.Lock()
		defer mu.Unlock()
		for _, r := range rs {
			got[r.Tag]++
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	var taken [4]uint64
	var producers sync.WaitGroup
	started := make(chan struct{}, len(taken))
	for i := range taken {
		producers.Go(func() {
			for tag := uint64(0); ; tag++ {
				if tag == 200 {
					started <- struct{}{}
				}
				a := Account(int(tag)*len(taken) + i)
				op := []storage.Op{Create(a), {Kind: storage.OpGet, Name: a.Name}, {Kind: storage.OpLogin, Name: a.Name}}[tag%3]
				op.Tag = tag<<8 | uint64(i)
				if p.Submit([]storage.Op{op}) == 0 {
					taken[i] = tag
					return
				}
			}
		})
	}
	<-started
	for range 2 {
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
	}
	producers.Wait()
	total := 0
	for i, n := range taken {
		for tag := range n {
			if got[tag<<8|uint64(i)] != 1 {
				t.Fatalf("producer %d request %d: %d results", i, tag, got[tag<<8|uint64(i)])
			}
			total++
		}
	}
	if len(got) != total {
		t.Fatalf("%d results for %d requests", len(got), total)
	}
}
