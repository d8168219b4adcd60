package perf

import (
	"bytes"
	"fmt"
	"sync/atomic"
	"testing"

	"gatepass/logic"
)

// newPipeline is an edge with a real store, in memory, and a real auth pool.
func newPipeline(tb testing.TB) *edge {
	return newEdge(tb, func(inbox *logic.Inbox) neighbours {
		return neighbours{store: newStore(tb, inbox.Stored), prover: newPool(tb, inbox.Proved)}
	})
}

// TestPipeline_Login is the benchmark's login, once: the account gets in, a wrong
// password and an unknown name do not, and those two look alike.
func TestPipeline_Login(t *testing.T) {
	e := newPipeline(t)
	var verdicts [][]byte
	for _, c := range logins() {
		client := e.newClient()
		client.enrol(c.name, c.password)
		if got := client.worlds != nil; got != c.right {
			t.Errorf("%s: in = %v, want %v", c.who, got, c.right)
		}
		if !c.right {
			verdicts = append(verdicts, client.verdict)
		}
		if !client.login() {
			t.Errorf("%s: the second login was answered otherwise", c.who)
		}
	}
	if !bytes.Equal(verdicts[0], verdicts[1]) {
		t.Errorf("a stranger can tell a wrong password (%x) from a wrong name (%x)", verdicts[0], verdicts[1])
	}
}

type loginCase struct {
	who, name, password string
	right               bool
}

func logins() []loginCase {
	return []loginCase{
		{"player", accountName, password, true},
		{"wrong-password", accountName, "GUESS", false},
		{"unknown-name", "NOBODY", password, false},
	}
}

// BenchmarkPipeline is a whole login through codec, logic, auth pool and store,
// without sockets: what is ours of its cost. An iteration is one login.
func BenchmarkPipeline(b *testing.B) {
	for _, clients := range []int{1, maxClients} {
		for _, c := range logins() {
			b.Run(fmt.Sprintf("clients=%d,who=%s", clients, c.who), func(b *testing.B) { benchPipeline(b, clients, c) })
		}
	}
}

// benchPipeline has clients goroutines, each with logins of its own one after
// the other, share the iterations.
func benchPipeline(b *testing.B, clients int, who loginCase) {
	e := newPipeline(b)
	for i := range clients {
		e.newClient().enrol(nameOf(who.name, i), who.password)
	}
	if clients == 1 {
		b.ReportAllocs()
		for b.Loop() {
			if !e.clients[0].login() {
				b.Fatal("a login was answered wrongly")
			}
		}
		return
	}
	var left atomic.Int64
	left.Store(int64(b.N))
	done := make(chan struct{})
	b.ReportAllocs()
	b.ResetTimer()
	for _, c := range e.clients {
		go func() {
			defer func() { done <- struct{}{} }()
			for left.Add(-1) >= 0 {
				if !c.login() {
					b.Error("a login was answered wrongly")
				}
			}
		}()
	}
	for range e.clients {
		<-done
	}
}
