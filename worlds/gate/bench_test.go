package gate_test

import (
	"fmt"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"gatepass/codec/world"
	"gatepass/worlds/gate"
)

// BenchmarkGate_Admission measures a client's admission over real sockets and an
// embedded bus: connect, proof, move of the key, enter, close. The CPU time is that of
// the whole process: client, gate, bus, manager and login server.
func BenchmarkGate_Admission(b *testing.B) {
	r := mustRegion(b)
	o := optionsFor(b, r, 1, 12340)
	o.World.Capacity = 1_000_000
	g := mustOpen(b, o)
	key := keyOf(1)
	const ahead = 1000 // logins ahead of their clients, so that the directory knows them
	var held, came atomic.Int64
	hold := func() { r.login.hold(fmt.Sprintf("P%d", held.Add(1)), key) }
	for range ahead {
		hold()
	}
	began := cpu(b)
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			hold()
			enter(b, g, fmt.Sprintf("P%d", came.Add(1)), key)
		}
	})
	b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
	if st := g.Stats(); st.Refused != (gate.Stats{}).Refused {
		b.Fatalf("refused: %v", st.Refused)
	}
}

// BenchmarkGate_NativeAdmission does the same for a native client: its pass is offered,
// and it connects, proves the pass's key, enters and closes.
func BenchmarkGate_NativeAdmission(b *testing.B) {
	r := mustRegion(b)
	o := nativeOptions(b, r, 1)
	o.World.Capacity = 1_000_000
	g := mustOpen(b, o)
	var came atomic.Int64
	began := cpu(b)
	b.SetParallelism(16)
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			enterNative(b, r, g, fmt.Sprintf("P%d", came.Add(1)))
		}
	})
	b.ReportMetric(float64((cpu(b)-began).Microseconds())/float64(b.N), "cpu-µs/op")
	if st := g.Stats(); st.Refused != (gate.Stats{}).Refused {
		b.Fatalf("refused: %v", st.Refused)
	}
}

func enterNative(b *testing.B, r *region, g *gate.Gate, account string) {
	p, err := r.login.offer(account, g.Node())
	if err != nil {
		b.Error(err)
		return
	}
	c, err := dialNative(g.NativeAddr())
	if err != nil {
		b.Error(err)
		return
	}
	defer c.close()
	if err := c.enter(p.id, p.key); err != nil {
		b.Errorf("%s: %v", account, err)
		return
	}
	if frame, err := c.read(); err != nil || frame.GetEntered() == nil {
		b.Errorf("%s: %v, %v", account, frame, err)
	}
}

func enter(b *testing.B, g *gate.Gate, account string, key [40]byte) {
	c, err := dial(g.Addr(), 12340)
	if err != nil {
		b.Error(err)
		return
	}
	defer c.close()
	if err := c.introduce(account, key); err != nil {
		b.Error(err)
		return
	}
	if a, err := c.answer(); err != nil || a.Code != world.CodeOK {
		b.Errorf("%s: %#x, %v", account, a.Code, err)
	}
}

// cpu returns the CPU time of the process.
func cpu(tb testing.TB) time.Duration {
	tb.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
