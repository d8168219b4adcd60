package main

import (
	"errors"
	"strings"
	"testing"
	"time"
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
