package bus

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"gatepass/worlds"
)

// Times of a Registrar.
const (
	// requestTimeout bounds how long a request waits for the manager.
	requestTimeout = 2 * time.Second
	// registerMin and registerMax bound the pause before registering again when
	// nobody answered: a manager that takes over is found soon.
	registerMin = 100 * time.Millisecond
	registerMax = 2 * time.Second
	// refusedPause is how long a refused world waits: somebody has to change
	// something first.
	refusedPause = 5 * time.Second
	// minHeartbeat is the least time between heartbeats, whatever a manager says.
	minHeartbeat = 10 * time.Millisecond
)

// RegisterOptions say what a world says of itself.
type RegisterOptions struct {
	// World is asked at every registration, Beat at every heartbeat, both on the
	// registrar's goroutine. Their id and incarnation must be this world's and
	// process's.
	World func() worlds.Registration
	Beat  func() worlds.Beat
	// Every is the time between heartbeats; 0 takes the manager's.
	Every time.Duration
	// OnRefused is told why a registration was refused, on the registrar's
	// goroutine; the world tries again in a while. May be nil.
	OnRefused func(reason string)
	// Logger takes what operators should know; nil takes the connection's.
	Logger *slog.Logger
}

// Registrar keeps a world registered: it registers, beats, and registers again
// whenever the manager does not know the world.
//
// A manager that has not heard the world for a while has also forgotten which
// keys are there. So the connection's node is delivered Up when the manager was
// not heard for that long, or wanted a second registration.
type Registrar struct {
	// static after construction
	conn    *Conn
	options RegisterOptions
	world   uint8
	stop    func() // waits for the goroutine

	// owned by the registrar's goroutine
	every time.Duration // between heartbeats
	limit time.Duration // the silence after which the manager forgets
	heard time.Duration // the last answer, by the connection's clock; 0 before the first
	told  refusal       // what the log said of a refusal, once registered nothing

	mu         sync.Mutex
	registered bool // guarded by mu
}

// Register begins to keep the connection's own world registered, until Close of
// either. The manager need not be there yet.
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

// Registered tells whether the manager knew the world when last asked.
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

// Close says that the world leaves, so that it is offline at once, and ends. It
// may be called again.
func (r *Registrar) Close() error {
	r.stop()
	return nil
}

func (r *Registrar) run(ctx context.Context) {
	for attempt := 0; ; {
		err := r.register(ctx)
		pause := backoff(attempt, registerMin, registerMax)
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
		if !sleep(ctx, pause) {
			return
		}
	}
}

// RefusedError is a manager's no to a registration.
type RefusedError struct {
	Reason string
	// Retry is after how long it may be taken as it is, which needs nobody to
	// change something; 0 otherwise.
	Retry time.Duration
}

func (e *RefusedError) Error() string { return "bus: registration refused: " + e.Reason }

func (r *Registrar) refused(e *RefusedError) {
	if r.told.tells(e.Reason, r.conn.clock()) {
		r.options.Logger.Warn("bus: registration refused, trying again", "world", r.world, "reason", e.Reason)
	}
	if r.options.OnRefused != nil {
		r.options.OnRefused(e.Reason)
	}
}

// register asks once.
func (r *Registrar) register(ctx context.Context) error {
	reg := r.options.World()
	reg.ID = r.world
	payload, err := encodeRegistration(&reg)
	if err != nil {
		return &RefusedError{Reason: err.Error()}
	}
	answer, err := r.conn.request(ctx, worldSubject(r.world, suffixRegister), payload)
	if err != nil {
		return err
	}
	reply, err := decodeRegisterReply(answer)
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
	r.heard, r.told = r.conn.clock(), refusal{}
	r.setRegistered(true)
	r.options.Logger.Info("bus: registered", "world", r.world)
	return nil
}

// answered notes that the manager knows the world, as of a beat just now.
func (r *Registrar) answered() {
	now := r.conn.clock()
	if now-r.heard >= r.limit {
		r.conn.raise()
	}
	r.heard = now
}

// beats until the manager does not know the world, which is nil, or ctx ends.
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
			// The manager may be away, or be another one in a moment; it counts
			// missed beats, we do not.
			r.options.Logger.Debug("bus: heartbeat not answered", "error", err)
		case !known:
			r.options.Logger.Info("bus: not known any more, registering again", "world", r.world)
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
	answer, err := r.conn.request(ctx, worldSubject(r.world, suffixBeat), encodeBeat(&b))
	if err != nil {
		return false, err
	}
	reply, err := decodeBeatReply(answer)
	if err == nil && r.conn.outdated(uint64(reply.Epoch)) {
		err = errOutdated
	}
	return reply.Known, err
}

// leave is best effort: who hears nothing counts missed beats.
func (r *Registrar) leave() {
	b := r.options.Beat()
	b.Leaving = true
	if _, err := r.beat(context.Background(), b); err != nil {
		r.options.Logger.Debug("bus: nobody heard that the world leaves", "error", err)
	}
}

// request asks and waits, bounded.
func (c *Conn) request(ctx context.Context, subject string, payload []byte) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	m, err := c.nats.RequestWithContext(ctx, subject, payload)
	if err != nil {
		return nil, fmt.Errorf("bus: ask %s: %w", subject, err)
	}
	return m.Data, nil
}

// sleep is false when ctx ended first.
func sleep(ctx context.Context, pause time.Duration) bool {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
