package lead

import (
	"context"
	"fmt"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/bustest"
)

// manyAnnouncements are of different accounts.
func manyAnnouncements(n int) []worlds.Announcement {
	all := make([]worlds.Announcement, n)
	for i := range all {
		copy(all[i].Account[:], fmt.Sprintf("PLAYER%06d", i))
		all[i].Stamp = worlds.NewStamp(1764000000000+int64(i), uint32(i))
	}
	return all
}

// BenchmarkLogin is what the whole process spends on announcing a login, at a
// steady rate, with the bus, the manager and the login server in it: cpu-ns/login
// is the number that counts: what the same process spends in the same time
// without logins is taken off and told as idle-%.
func BenchmarkLogin(b *testing.B) {
	for _, way := range []string{"memory", "socket"} {
		for _, rate := range []int{1000, 10000} {
			b.Run(fmt.Sprintf("way=%s/rate=%d", way, rate), func(b *testing.B) { benchmarkLogin(b, way, rate) })
		}
	}
}

func benchmarkLogin(b *testing.B, way string, rate int) {
	const step = 5 * time.Millisecond
	s := bustest.NewStage(b)
	connect := func(node worlds.Node) *bus.Conn {
		o := bus.Options{Creds: s.CredsOf(node), Demand: true}
		if o.URL = "nats://" + s.Options.Listen; way == "memory" {
			o.URL, o.Server = "", s.Server
		}
		c, err := bus.Connect(context.Background(), o)
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { c.Close() })
		return c
	}
	monitor, done := Monitor{}, make(chan struct{})
	ctx, stop := context.WithCancel(context.Background())
	manager, login := connect("manager.a"), connect("login.eu1")
	go func() {
		defer close(done)
		if err := RunManager(ctx, manager, ManagerOptions{Monitor: &monitor}); err != nil {
			b.Error(err)
		}
	}()
	b.Cleanup(func() { stop(); <-done })
	bustest.Eventually(b, "it leads", func() bool { return monitor.Stats().Leads })
	node, err := login.Node(bus.NodeOptions{Incarnation: 1, Deliver: func(worlds.Event) {}})
	if err != nil {
		b.Fatal(err)
	}
	all, next := manyAnnouncements(100_000), 0
	perStep := rate * int(step) / int(time.Second)
	ticks := time.NewTicker(step)
	defer ticks.Stop()
	idle := cpu(b)
	const idleSteps = 400
	for range idleSteps {
		<-ticks.C
	}
	idle = (cpu(b) - idle) / idleSteps
	before := cpu(b)
	b.ResetTimer()
	for b.Loop() {
		<-ticks.C
		for range perStep { // as the logic does: one round, one Submit
			node.Submit([]worlds.Effect{{Announce: &all[next%len(all)]}})
			next++
		}
	}
	spent := cpu(b) - before
	bustest.Eventually(b, "all are there", func() bool { return login.Stats().Announced == uint64(next) })
	b.ReportMetric(float64(spent-idle*time.Duration(b.N))/float64(next), "cpu-ns/login")
	b.ReportMetric(float64(idle)/float64(step)*100, "idle-%")
}

// cpu is what the process has spent so far.
func cpu(tb testing.TB) time.Duration {
	var u unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &u); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
