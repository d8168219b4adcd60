package edge

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"gatepass/logic"
)

// drain accepts no new clients and waits until those that are logging in have finished. If
// there are other login servers, it also waits until these have claimed the session keys.
// It returns when ctx ends at the latest.
func (e *Edge) drain(ctx context.Context) {
	e.draining.Store(true)
	e.stopBeat()
	if err := e.startBeat(); err != nil { // its first heartbeat tells DNS to send no more clients
		e.log.Warn("nobody was told of the drain", "error", err)
	}
	e.server.Drain()
	for !e.inbox.Command(logic.Command{Kind: logic.CommandDrain}) && ctx.Err() == nil {
		time.Sleep(time.Millisecond)
	}
	for (e.server.Conns() > 0 || e.options.WaitForKeys && e.core.Stats().Keys > 0) && ctx.Err() == nil {
		time.Sleep(10 * time.Millisecond)
	}
	e.log.Info("drained", slog.Int("connections-left", e.server.Conns()))
}

// close stops the parts in reverse order, each when no other part needs it any more. It
// may be called when only some parts have started.
func (e *Edge) close() error {
	var err error
	e.stopBeat()
	e.stopControl()
	e.stopClock()
	if e.loop != nil {
		for !e.inbox.Command(logic.Command{Kind: logic.CommandClose}) {
			time.Sleep(time.Millisecond)
		}
		<-e.loop.Done()
	}
	e.background.Wait()
	if e.node != nil {
		e.node.Close()
	}
	if e.server != nil {
		err = errors.Join(err, e.server.Close())
	}
	if e.pool != nil {
		e.pool.Close()
	}
	if e.store != nil {
		err = errors.Join(err, e.store.Close())
	}
	return err
}
