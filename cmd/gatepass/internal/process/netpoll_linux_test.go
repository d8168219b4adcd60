package process

import (
	"context"
	"testing"
)

// The runtime's epoll is found: Go's next version may hide it.
func TestRuntimeEpoll_IsFound(t *testing.T) {
	if _, ok := runtimeEpoll(); !ok {
		t.Fatal("not found: moves of keys will be slow now and then where procs is 1")
	}
	if _, ok := epollThatWatches(1 << 20); ok {
		t.Fatal("an epoll was found for a descriptor that there is not")
	}
}

func TestKeepPolling_EndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); keepPolling(ctx, func() uint64 { return 0 }) }()
	cancel()
	<-done
}
