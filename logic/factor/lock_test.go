package factor

import (
	"testing"

	"gatepass/deadline"
	"gatepass/storage"
)

func TestLock_LastsAQuarterOfAnHourFromTheFirst(t *testing.T) {
	name, window := storage.Name{'A'}, lockWindow.Milliseconds()
	l := newLock()
	const start = 1000
	for i := range int64(lockTries) {
		if l.locked(name, start+i) {
			t.Fatalf("locked after %d", i)
		}
		l.fail(name, start+i)
	}
	for now := int64(start + lockTries); now < start+window; now += deadline.Every.Milliseconds() {
		if l.advance(now); !l.locked(name, now) {
			t.Fatalf("not locked after %d ms", now-start)
		}
		l.fail(name, now) // what is tried meanwhile makes it no longer
	}
	if l.locked(name, start+window) {
		t.Fatal("locked for longer")
	}
}

// Whether the lock is over does not depend on advance: a tick that never came, or came
// late, opens nothing and keeps nobody out.
func TestLock_NeedsNoTick(t *testing.T) {
	name, window := storage.Name{'A'}, lockWindow.Milliseconds()
	l := newLock()
	for range lockTries {
		l.fail(name, 1)
	}
	if !l.locked(name, window) || l.locked(name, window+1) {
		t.Fatal("the lock goes by its ticks")
	}
	l.fail(name, window+1)
	if l.locked(name, window+1) {
		t.Fatal("the first of a new row locks")
	}
}

func TestLock_RightFactorEndsTheRowAndLeavesNothing(t *testing.T) {
	name, window := storage.Name{'A'}, lockWindow.Milliseconds()
	l := newLock()
	now := int64(1000)
	for range 10_000 {
		for range lockTries - 1 {
			l.fail(name, now)
		}
		if l.locked(name, now) {
			t.Fatal("locked by wrong ones that were not in a row")
		}
		l.succeed(name)
		now += 1000
		l.advance(now)
	}
	if len(l.rows) > 1 || l.ends.Len() > 1 {
		t.Fatalf("%d rows and %d ends of one account", len(l.rows), l.ends.Len())
	}
	l.fail(name, now)
	l.advance(now + window - 1)
	if len(l.rows) != 1 {
		t.Fatal("a row was forgotten that counts still")
	}
	for range lockTries - 1 {
		l.fail(name, now+window-1)
	}
	if !l.locked(name, now+window-1) {
		t.Fatal("the row was cut by what was left of an earlier one")
	}
	l.advance(now + 2*window)
	if len(l.rows) != 0 || l.ends.Len() != 0 {
		t.Fatalf("%d rows and %d ends are left", len(l.rows), l.ends.Len())
	}
}
