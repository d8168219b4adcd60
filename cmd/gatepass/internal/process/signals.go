package process

import (
	"context"
	"errors"
	"io"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"
)

// jsonKey is the key, in the context of TrapSignals, of the flag that says that the log
// is JSON.
type jsonKey struct{}

var errSecondSignal = errors.New("second signal, leaving at once")

// TrapSignals returns a context that ends with the first SIGTERM or Ctrl-C, and the
// function that restores the default handling. A second signal exits the process at once,
// without waiting for the drain.
func TrapSignals(parent context.Context, errOut io.Writer) (context.Context, func()) {
	asJSON := new(atomic.Bool)
	ctx, cancel := context.WithCancel(context.WithValue(parent, jsonKey{}, asJSON))
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	done := make(chan struct{})
	go func() {
		select {
		case <-signals:
			cancel()
		case <-done:
			return
		}
		select {
		case <-signals:
			PrintEnd(errOut, errSecondSignal, asJSON.Load())
			os.Exit(130)
		case <-done:
		}
	}()
	return ctx, func() {
		signal.Stop(signals)
		close(done)
		cancel()
	}
}
