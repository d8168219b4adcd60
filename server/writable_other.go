//go:build !linux

package server

import (
	"os"
	"sync"
	"time"

	"gatepass/codec"
)

// writable makes sockets be tried again after a while, where there is no epoll.
type writable struct {
	mu    sync.Mutex
	armed []codec.Conn
	stop  chan struct{}
}

// writableEach is how often sockets are tried again.
const writableEach = 5 * time.Millisecond

func newWritable() (*writable, error) { return &writable{stop: make(chan struct{})}, nil }

func (w *writable) arm(_ int, conn codec.Conn, _ bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.armed = append(w.armed, conn)
	return nil
}

func (w *writable) forget(int) {}

func (w *writable) wait() ([]codec.Conn, error) {
	select {
	case <-w.stop:
		return nil, os.ErrClosed
	case <-time.After(writableEach):
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	conns := w.armed
	w.armed = nil
	return conns, nil
}

func (w *writable) interrupt() { close(w.stop) }

func (w *writable) close() {}

func (w *writable) epoll() int { return -1 }

func keepUnsentLow(int) {}

func press(int, []byte) (taken int, err error) { return 0, nil }
