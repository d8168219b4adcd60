package edge

import (
	"errors"
	"fmt"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"time"

	"gatepass/storage"
)

// Clients are let in only once the address bans have been read.
func TestEdge_AwaitBans(t *testing.T) {
	asked := 0
	third := func() bool { asked++; return asked == 3 }
	if err := awaitBans(third, nil, nil); err != nil || asked != 3 {
		t.Errorf("asked %d times, %v", asked, err)
	}
	never := func() bool { return false }
	failure, limit := make(chan error, 1), make(chan time.Time, 1)
	limit <- time.Time{}
	if err := awaitBans(never, failure, limit); err == nil || !strings.Contains(err.Error(), "cannot be read") {
		t.Errorf("at the limit: %v", err)
	}
	failed := errors.New("the disk is gone")
	failure <- failed
	if err := awaitBans(never, failure, nil); err != failed {
		t.Errorf("after a failure: %v", err)
	}
}

// The address bans are read before clients can connect, and only then do DNS and operators
// hear of the server.
func TestEdge_StartOrder(t *testing.T) {
	place := make(map[string]int)
	for i, start := range new(Edge).starts() {
		name := runtime.FuncForPC(reflect.ValueOf(start).Pointer()).Name()
		place[strings.TrimSuffix(name[strings.LastIndex(name, ".")+1:], "-fm")] = i + 1
	}
	order := []string{"startStore", "startLogic", "awaitBans", "startServer", "startBeat"}
	for i, name := range order {
		if place[name] == 0 || i > 0 && place[name] < place[order[i-1]] {
			t.Errorf("%s is in place %d of %v", name, place[name], place)
		}
	}
}

// A store that cannot be read is not called one that goes on read-only.
func TestAccountsFault(t *testing.T) {
	unread, refused := storage.ErrReadFailed, storage.ErrFailed
	for _, c := range []struct {
		unread, refused error
		has, hasNot     string
	}{
		{nil, refused, "logins go on", "nobody can log in"},
		{unread, refused, "nobody can log in", "write"},
		{unread, nil, "nobody can log in", "write"},
	} {
		if text := fmt.Sprint(accountsFault(c.unread, c.refused)); !strings.Contains(text, c.has) || strings.Contains(text, c.hasNot) {
			t.Errorf("unread %v, refused %v: %s", c.unread, c.refused, text)
		}
	}
	if err := errors.Join(accountsFault(nil, nil), readFault(nil), regionFault(true)); err != nil {
		t.Error(err)
	}
	if readFault(unread) == nil {
		t.Error("a server that cannot read its store is ready")
	}
}
