package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus/internal/retry"
	"gatepass/worlds/bus/wire"
)

// Times of a Registrar.
const (
	// RequestTimeout bounds how long a request waits for its answer.
	RequestTimeout = 2 * time.Second
	// registerMin and registerMax bound the pause before registering again if no manager
	// answered. They are short, so that a manager that takes over is found soon.
	registerMin = 100 * time.Millisecond
	registerMax = 2 * time.Second
	// refusedPause is the pause after a refusal: somebody has to change the registration
	// first.
	refusedPause = 5 * time.Second
	// minHeartbeat is the least time between two heartbeats, whatever a manager asks for.
	minHeartbeat = 10 * time.Millisecond
)

// RegisterOptions configure a Registrar.
type RegisterOptions struct {
	// World is called for every registration, Beat for every heartbeat, both on the
	// registrar's goroutine. They return the id of this world and the incarnation of
	// this process.
	World func() worlds.Registration
	Beat  func() worlds.Beat
	// Every is the time between two heartbeats; 0 takes the manager's.
	Every time.Duration
	// OnRefused gets the reason of each refused registration, on the registrar's
	// goroutine. The world is registered again after a pause. May be nil.
	OnRefused func(reason string)
	// Logger takes messages for operators; nil takes the connection's.
	Logger *slog.Logger
}

// Registrar keeps a world registered: it registers, sends heartbeats, and registers again
// if the manager does not know the world.
//
// A manager that has not heard a world for some time forgets the world's keys too. The
// connection's node therefore gets Up if no answer came for that long, or if the manager
// demands another registration.
type Registrar struct {
	// static after construction
	conn    *Conn
	options RegisterOptions
	world   uint8
	stop    func() // waits for the goroutine

	// owned by the registrar's goroutine
	every time.Duration // between heartbeats
	limit time.Duration // the silence after which the manager forgets the keys
	heard time.Duration // when the last answer came, by the connection's clock; 0 before the first
	told  retry.Report  // the last refusal in the log; empty after a registration

	mu         sync.Mutex
	registered bool // guarded by mu
}

// Register keeps the connection's world registered until the Registrar or the connection is
// closed. It does not wait for a manager.
func (c *Conn) Register(o RegisterOptions) (*Registrar, error) {
	reg := o.World()
	if worlds.WorldNode(reg.ID) != c.self {
		return nil, fmt.Errorf("bus: world %d cannot be registered with the credentials of %s", reg.ID, c.self)
	}
	if o.Logger == nil {
		o.Logger = c.log
	}
	r := &Registrar{conn: c, options: o, world: reg.ID}
	var err error
	if r.stop, err = c.spawn(r.run); err != nil {
		return nil, fmt.Errorf("bus: register: %w", err)
	}
	return r, nil
}

// Registered reports whether the manager knew the world when it answered last.
func (r *Registrar) Registered() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.registered
}

func (r *Registrar) setRegistered(now bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.registered = now
}

// Close tells the manager that the world leaves, so that it is offline at once, and ends the
// registrar. It may be called again.
func (r *Registrar) Close() error {
	r.stop()
	return nil
}

func (r *Registrar) run(ctx context.Context) {
	for attempt := 0; ; {
		err := r.register(ctx)
		pause := retry.Backoff(attempt, registerMin, registerMax)
		var refused *RefusedError
		switch {
		case err == nil:
			attempt = 0
			if r.beats(ctx) != nil {
				r.leave()
				return
			}
			continue
		case errors.As(err, &refused):
			r.refused(refused)
			pause = refusedPause
			if refused.Retry > 0 {
				pause = max(minHeartbeat, refused.Retry)
			}
		default:
			r.options.Logger.Debug("bus: not registered yet", "error", err)
		}
		attempt++
		if !retry.Sleep(ctx, pause) {
			return
		}
	}
}

// RefusedError: the manager has refused a registration.
type RefusedError struct {
	Reason string
	// Retry is the time after which the same registration may be accepted; 0 if it has to
	// be changed first.
	Retry time.Duration
}

func (e *RefusedError) Error() string { return "bus: registration refused: " + e.Reason }

func (r *Registrar) refused(e *RefusedError) {
	if r.told.Due(e.Reason, r.conn.clock()) {
		r.options.Logger.Warn("bus: registration refused, trying again", "world", r.world, "reason", e.Reason)
	}
	if r.options.OnRefused != nil {
		r.options.OnRefused(e.Reason)
	}
}

// register sends one registration.
func (r *Registrar) register(ctx context.Context) error {
	reg := r.options.World()
	reg.ID = r.world
	payload, err := wire.EncodeRegistration(&reg)
	if err != nil {
		return &RefusedError{Reason: err.Error()}
	}
	answer, err := r.conn.request(ctx, wire.WorldSubject(r.world, wire.SuffixRegister), payload)
	if err != nil {
		return err
	}
	reply, err := wire.DecodeRegisterReply(answer)
	if err == nil && r.conn.outdated(uint64(reply.Epoch)) {
		err = errOutdated
	}
	if err != nil {
		return err
	}
	if !reply.OK {
		return &RefusedError{Reason: reply.Reason, Retry: time.Duration(reply.RetryMs) * time.Millisecond}
	}
	r.every = r.options.Every
	if r.every <= 0 {
		r.every = max(minHeartbeat, time.Duration(reply.HeartbeatMs)*time.Millisecond)
	}
	r.limit = time.Duration(reply.HeartbeatMs) * time.Millisecond * time.Duration(reply.Missed)
	if r.heard != 0 {
		r.conn.raise()
	}
	r.heard, r.told = r.conn.clock(), retry.Report{}
	r.setRegistered(true)
	r.options.Logger.Info("bus: registered", "world", r.world)
	return nil
}

// answered notes that the manager knows the world.
func (r *Registrar) answered() {
	now := r.conn.clock()
	if now-r.heard >= r.limit {
		r.conn.raise()
	}
	r.heard = now
}

// beats sends heartbeats. It returns nil when the manager does not know the world, and an
// error when ctx ends.
func (r *Registrar) beats(ctx context.Context) error {
	defer r.setRegistered(false)
	ticks := time.NewTicker(r.every)
	defer ticks.Stop()
	for {
		known, err := r.beat(ctx, r.options.Beat())
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			// The manager may be away for a moment. It counts missed heartbeats; this side
			// does not.
			r.options.Logger.Debug("bus: heartbeat not answered", "error", err)
		case !known:
			r.options.Logger.Info("bus: the manager does not know the world, registering again", "world", r.world)
			return nil
		default:
			r.answered()
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-ticks.C:
		}
	}
}

func (r *Registrar) beat(ctx context.Context, b worlds.Beat) (known bool, err error) {
	answer, err := r.conn.request(ctx, wire.WorldSubject(r.world, wire.SuffixBeat), wire.EncodeBeat(&b))
	if err != nil {
		return false, err
	}
	reply, err := wire.DecodeBeatReply(answer)
	if err == nil && r.conn.outdated(uint64(reply.Epoch)) {
		err = errOutdated
	}
	return reply.Known, err
}

// leave tells the manager that the world leaves. If that is lost, the manager counts missed
// heartbeats.
func (r *Registrar) leave() {
	b := r.options.Beat()
	b.Leaving = true
	if _, err := r.beat(context.Background(), b); err != nil {
		r.options.Logger.Debug("bus: the manager did not answer that the world leaves", "error", err)
	}
}

// request sends a request and waits for the answer for at most RequestTimeout.
func (c *Conn) request(ctx context.Context, subject string, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	m, err := c.nats.RequestWithContext(ctx, subject, payload)
	if err != nil {
		return nil, fmt.Errorf("bus: ask %s: %w", subject, err)
	}
	return m.Data, nil
}
