package e2e

import (
	"context"
	"errors"
	"testing"
	"time"

	native "gatepass/client"
)

// nativeBuild is what the clients of these tests say that they run; both demo
// worlds take it.
const nativeBuild = 5875

// hasty has a region tell everything sooner than operators would want it.
var hasty = []string{"GATEPASS_REGION__HEARTBEAT=500ms", "GATEPASS_REGION__REFRESH=500ms", "GATEPASS_SESSIONS__REFRESH_EVERY=500ms"}

// startNative runs `gatepass dev` with its two demo worlds, for native clients.
func startNative(t testing.TB, env ...string) (*gatepass, map[byte]demoWorld) {
	t.Helper()
	g, demos := startDemo(t, env...)
	if g.said["native"] == "" {
		t.Fatalf("no address for native clients in %v", g.said)
	}
	demoPlayer := &player{edition: vanilla, account: demo}
	must(t, demoPlayer.login(g.grunt))
	demoPlayer.sees(t, "both worlds", func(l map[byte]realm) bool { return len(l) == 2 && online(1)(l) })
	demoPlayer.leave()
	return g, demos
}

// addNative makes an account whose native verifier is as cheap as it may be: these
// tests are not about Argon2id.
func (g *gatepass) addNative(name, password string) {
	g.t.Helper()
	g.account(password+"\n", "add", "--native-kdf", "8192,1,1", "--password-stdin", name)
}

// guestOptions are of a client that gives up soon and comes back soon.
func guestOptions() native.Options {
	return native.Options{Build: nativeBuild, Timeout: patience, Backoff: native.Backoff{Min: 20 * time.Millisecond, Max: 200 * time.Millisecond}}
}

// nativeSession is a player who is signed in.
type nativeSession struct {
	*native.Session
	t testing.TB
	// events are those that came, oldest first; owned by the test's goroutine.
	events []native.Event
}

// signIn signs in or returns why not.
func signIn(t testing.TB, addr string, who native.Credentials, o native.Options) (*nativeSession, error) {
	t.Helper()
	ctx := within20(t)
	c, err := native.Dial(ctx, addr, o)
	if err != nil {
		return nil, err
	}
	defer c.Close()
	s, err := c.Login(ctx, who)
	if err != nil {
		return nil, err
	}
	t.Cleanup(func() { _ = s.Close() }) // it may have ended
	return &nativeSession{Session: s, t: t}, nil
}

// mustSignIn signs in with a password.
func mustSignIn(t testing.TB, addr, account, password string) *nativeSession {
	t.Helper()
	s, err := signIn(t, addr, native.Credentials{Account: account, Password: password}, guestOptions())
	if err != nil {
		t.Fatalf("%s: %v", account, err)
	}
	return s
}

// within20 is a context that ends with the test, or when its patience does.
func within20(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// event waits for an event of type E that satisfies the condition.
func event[E native.Event](s *nativeSession, what string, holds func(E) bool) E {
	s.t.Helper()
	late := time.After(patience)
	for {
		select {
		case e, more := <-s.Events():
			if !more {
				s.t.Fatalf("no %s before the session ended: %v; there were %+v", what, s.Err(), s.events)
			}
			s.events = append(s.events, e)
			if e, ok := e.(E); ok && holds(e) {
				return e
			}
		case <-late:
			s.t.Fatalf("no %s; there were %+v", what, s.events)
		}
	}
}

// anyOf is for event, whatever its fields are.
func anyOf[E native.Event](E) bool { return true }

// ended waits for the session's end and returns why.
func (s *nativeSession) ended() error {
	s.t.Helper()
	select {
	case <-s.Done():
		return s.Err()
	case <-time.After(patience):
		s.t.Fatalf("the session does not end; there were %+v", s.events)
		return nil
	}
}

// mustEndBy wants the session to end for that reason.
func (s *nativeSession) mustEndBy(reason error) {
	s.t.Helper()
	if err := s.ended(); !errors.Is(err, reason) {
		s.t.Fatalf("the session ended by %v, not %v", err, reason)
	}
}

// sees waits on the live list until the world is as wanted, and returns how long that
// took.
func (s *nativeSession) sees(what string, world uint8, holds func(native.World) bool) time.Duration {
	s.t.Helper()
	begin, ctx := time.Now(), within20(s.t)
	for version := uint64(0); ; {
		if w, ok := s.Worlds().Get(world); ok && holds(w) {
			return time.Since(begin)
		}
		var err error
		if version, err = s.Worlds().Wait(ctx, version); err != nil {
			s.t.Fatalf("world %d is not %s: %v; %+v", world, what, err, s.Worlds().All())
		}
	}
}

func hasStatus(status native.Status) func(native.World) bool {
	return func(w native.World) bool { return w.Status == status }
}

// mustEnter picks a world and goes in, or waits in its queue as long as it takes.
func (s *nativeSession) mustEnter(world uint8) *native.Conn {
	s.t.Helper()
	conn, err := s.enter(world)
	if err != nil {
		s.t.Fatalf("world %d: %v", world, err)
	}
	return conn
}

func (s *nativeSession) enter(world uint8) (*native.Conn, error) {
	ctx := within20(s.t)
	pass, err := s.Select(ctx, world)
	if err != nil {
		return nil, err
	}
	conn, err := s.Enter(ctx, pass)
	if err == nil {
		s.t.Cleanup(func() { _ = conn.Close() }) // it may have ended
	}
	return conn, err
}

// connEnded waits for the end of a connection to a world and returns why.
func connEnded(t testing.TB, conn *native.Conn) error {
	t.Helper()
	select {
	case <-conn.Done():
		return conn.Err()
	case <-time.After(patience):
		t.Fatalf("the connection to world %d does not end", conn.World())
		return nil
	}
}
