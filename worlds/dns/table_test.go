package dns

import (
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gatepass/worlds"
)

func TestBeat_Refused(t *testing.T) {
	var log strings.Builder
	o := testOptions()
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	bad := []worlds.LoginBeat{
		{Node: "login.x", Address: "host:1"}, {Node: "login.x", Address: "192.0.2.1"}, {Node: "login.x", Address: "192.0.2.1:0"},
		{Node: "login.x", Address: "0.0.0.0:1"}, {Node: "login.x", Address: "[::]:1"}, {Node: "login.x", Address: "224.0.0.1:1"},
		{Node: "login.x", Address: "[fe80::1%eth0]:1"}, {Node: "login.X", Address: "192.0.2.1:1"}, {Node: "login.", Address: "192.0.2.1:1"},
		{Node: "world.1", Address: "192.0.2.1:1"}, {Node: "", Address: "192.0.2.1:1"},
		{Node: "login.ns1", Address: "192.0.2.1:1"}, {Node: "login.play", Address: "192.0.2.1:1"}, {Node: "login._tcp", Address: "192.0.2.1:1"},
	}
	for _, b := range bad {
		s.Beat(b)
	}
	if st := s.Stats(); uint64(st.BeatsRefused) != uint64(len(bad)) || st.Beats != 0 || st.Known != 0 {
		t.Errorf("%+v", st)
	}
	if n := strings.Count(log.String(), "\n"); n != 1 {
		t.Errorf("%d lines logged:\n%s", n, log.String())
	}
}

// The log reports servers that are new, move or leave, but not each heartbeat.
func TestBeat_LogsChanges(t *testing.T) {
	var log strings.Builder
	now := time.Duration(testNow)
	o := testOptions()
	o.Clock = func() time.Duration { return now }
	o.Logger = slog.New(slog.NewTextHandler(&log, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	there := beat("eu1", "192.0.2.1:1", 5)
	for _, b := range []worlds.LoginBeat{there, there, beat("eu1", "192.0.2.1:1", 4), beat("eu1", "192.0.2.2:1", 4), draining(there), draining(there)} {
		s.Beat(b)
	}
	if st := s.Stats(); st.Known != 1 || st.Draining != 1 || st.Healthy != 0 || st.Beats != 6 {
		t.Errorf("%+v", st)
	}
	s.Beat(there)
	now += (time.Minute)
	if st := s.Stats(); st.Known != 1 || st.Healthy != 0 {
		t.Errorf("silent: %+v", st)
	}
	s.Beat(there)
	got := log.String()
	for what, want := range map[string]int{"is named": 3, "has moved": 1, "drains": 1, "\n": 5} {
		if n := strings.Count(got, what); n != want {
			t.Errorf("%q is %d times in the log, want %d:\n%s", what, n, want, got)
		}
	}
}

// The table has a limit. A new server replaces a silent one, but not a live one.
func TestTable_Bounded(t *testing.T) {
	z := mustZone(t, nil)
	logins := mustTable(t, z, fleet(maxLogins)...)
	b := beat("new", "192.0.2.1:1", 1)
	l, err := z.newLogin(&b, testNow)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := z.with(logins, l); err != errFull {
		t.Error(err)
	}
	logins[17].heard = testNow - time.Hour
	silent := logins[17].target
	after, was, err := z.with(logins, l)
	if err != nil || was != nil || len(after) != maxLogins || len(logins) != maxLogins {
		t.Fatal(err, was, len(after))
	}
	for target, want := range map[string]bool{"new." + z.origin: true, silent: false, logins[18].target: true} {
		if at, _ := z.find(target, after); (at == placeLogin) != want {
			t.Errorf("%s: %v", target, at)
		}
	}
	if !slices.IsSortedFunc(after, func(a, b login) int { return strings.Compare(a.target, b.target) }) {
		t.Error("not sorted")
	}
}

// Heartbeats come from any goroutine while other goroutines make answers.
func TestBeat_AtOnce(t *testing.T) {
	s, err := New(testOptions())
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 200 {
				s.Beat(beat(fmt.Sprintf("l%d-%d", g, i%10), "192.0.2.1:1", uint32(i)))
				src := s.source()
				s.zone.answer(question("_gatepass._tcp."+s.zone.origin, 33), &src)
			}
		})
	}
	all.Wait()
	if st := s.Stats(); st.Known != 40 || st.Beats != 800 {
		t.Errorf("%+v", st)
	}
}
