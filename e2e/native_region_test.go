package e2e

import (
	"errors"
	"path/filepath"
	"slices"
	"testing"
	"time"

	native "gatepass/client"
)

// nativeRegion is a bus, a manager, a login server and the gate of world 1, each a
// process of its own.
type nativeRegion struct {
	*region
	server, world *gatepass
}

func newNativeRegion(t testing.TB, accounts ...string) *nativeRegion {
	t.Helper()
	r := &nativeRegion{region: newRegion(t, []string{"manager.a", "login.a", "world.1"}, hasty...)}
	for _, name := range accounts {
		_, err := account(r.loginData("a"), "secret\n", "add", "--native-kdf", "8192,1,1", "--password-stdin", name)
		must(t, err)
	}
	r.manager("a")
	r.world = r.node("gateway", "--data", filepath.Join(r.dir, "gate"), "--gateway.id", "1", "--gateway.name", "Aldermoor",
		"--gateway.builds", "5875", "--gateway.listen", "127.0.0.1:0", "--gateway.native-listen", "127.0.0.1:0")
	r.serve("127.0.0.1:0")
	eventually(t, "the login server has met its region", func() bool { return ready(r.server) })
	return r
}

// serve starts the login server, for native clients at the address.
func (r *nativeRegion) serve(address string) {
	r.t.Helper()
	r.server = r.node("login", "--node", "a", "--data", r.loginData("a"), "--grunt", "127.0.0.1:0", "--native", address)
	r.server.data = r.loginData("a")
}

// again starts it where it was.
func (r *nativeRegion) again() {
	r.t.Helper()
	r.serve(r.server.said["native"])
}

func (r *nativeRegion) mustSignIn(name string) *nativeSession {
	r.t.Helper()
	s := mustSignIn(r.t, r.server.said["native"], name, "secret")
	s.sees("online", 1, hasStatus(native.StatusOnline))
	return s
}

// reaches sends a packet into the world and wants the gate to have got it.
func (r *nativeRegion) reaches(conn *native.Conn) {
	r.t.Helper()
	before := r.world.metric("gatepass_gate_packets_total")
	must(r.t, conn.Send(7, []byte("still here")))
	eventually(r.t, "the packet is in the world", func() bool { return r.world.metric("gatepass_gate_packets_total") > before })
}

// TestNative_LoginServerDies: who is in a world stays there when the login server is
// killed, and its session comes back by itself once it has left; who is at the list
// comes back at once when there is a server again.
func TestNative_LoginServerDies(t *testing.T) {
	t.Parallel()
	r := newNativeRegion(t, "ana", "bea")
	ana, bea := r.mustSignIn("ana"), r.mustSignIn("bea")
	conn := ana.mustEnter(1)
	r.reaches(conn)
	r.server.kill()
	event(ana, "news of the loss, held", func(e native.Disconnected) bool { return e.Held })
	event(bea, "news of the loss", func(e native.Disconnected) bool { return !e.Held })
	if _, err := bea.Select(within20(t), 1); !errors.Is(err, native.ErrAway) || !bea.Worlds().Stale() {
		t.Errorf("a session that is away: %v, stale: %v", err, bea.Worlds().Stale())
	}
	r.reaches(conn)
	r.again()
	event(bea, "its return", anyOf[native.Reconnected])
	bea.sees("online", 1, hasStatus(native.StatusOnline))
	beas := bea.mustEnter(1)
	r.reaches(conn)
	r.reaches(beas)

	must(t, conn.Close())
	event(ana, "its return", anyOf[native.Reconnected])
	ana.sees("online", 1, hasStatus(native.StatusOnline))
	r.reaches(ana.mustEnter(1))
	r.reaches(beas)
	r.server.healthyNative(t)
}

// healthyNative is healthy for a server whose accounts are not dev's.
func (g *gatepass) healthyNative(t testing.TB) {
	t.Helper()
	g.mustGet("/readyz")
	for _, name := range []string{"gatepass_reactor_panics_total", "gatepass_logic_panics_total", "gatepass_auth_panics_total", "gatepass_connections_forged_total"} {
		if n := g.metric(name); n != 0 {
			t.Errorf("%s is %v", name, n)
		}
	}
}

// TestNative_GoingAway: a server that is asked to end tells each client another time
// to come back, and clients come back to the next one by themselves; players in the
// world notice nothing.
func TestNative_GoingAway(t *testing.T) {
	t.Parallel()
	r := newNativeRegion(t, "ana", "bea", "cora", "dora")
	conn := r.mustSignIn("ana").mustEnter(1)
	var wires []*wireClient
	for _, name := range []string{"CORA", "DORA"} {
		wires = append(wires, wireSignIn(t, r.server.said["native"], who{name, "secret"}))
	}
	bea := r.mustSignIn("bea")
	r.server.signal(15)
	told := event(bea, "GoingAway", anyOf[native.GoingAway])
	after := []uint32{uint32(told.After.Milliseconds())}
	for _, w := range wires {
		last := w.mustClose()
		if last.GetGoingAway() == nil {
			t.Fatalf("the last word was %v", last)
		}
		after = append(after, last.GetGoingAway().GetReconnectAfterMs())
	}
	slices.Sort(after)
	if len(slices.Compact(slices.Clone(after))) != 3 || after[0] == 0 || after[2] > 10_000 {
		t.Errorf("told to come back after %v ms", after)
	}
	begin := time.Now()
	if code := r.server.wait(); code != 0 {
		t.Errorf("exit code %d", code)
	}
	r.again()
	event(bea, "its return", anyOf[native.Reconnected])
	t.Logf("told to come back after %v, back after %v", told.After, time.Since(begin))
	r.reaches(conn)
	bea.sees("online", 1, hasStatus(native.StatusOnline))
	r.reaches(bea.mustEnter(1))
	r.reaches(conn)
}

// TestNative_Operator: an operator's text reaches who is connected, maintenance keeps
// out who is not.
func TestNative_Operator(t *testing.T) {
	t.Parallel()
	r := newNativeRegion(t, "ana", "bea")
	ana := r.mustSignIn("ana")
	conn := ana.mustEnter(1)
	r.admin("notice", "The realm closes in 5 minutes.")
	event(ana, "the notice", func(e native.Notice) bool { return e.Text == "The realm closes in 5 minutes." })
	r.admin("maintenance", "on")
	eventually(t, "nobody is let in", func() bool {
		_, err := signIn(t, r.server.said["native"], native.Credentials{Account: "bea", Password: "secret"}, guestOptions())
		return errors.Is(err, native.ErrBusy)
	})
	r.reaches(conn)
	if _, err := ana.Select(within20(t), 1); !errors.As(err, new(*native.SelectError)) {
		t.Errorf("a world was picked during maintenance: %v", err)
	}
	r.admin("maintenance", "off")
	eventually(t, "everybody is let in", func() bool {
		_, err := signIn(t, r.server.said["native"], native.Credentials{Account: "bea", Password: "secret"}, guestOptions())
		return err == nil
	})
	// A ban ends the session and says so; later only who knows the password is told.
	bea := r.mustSignIn("bea")
	r.server.account("", "ban", "bea", "--forever", "--reason", "test")
	bea.mustEndBy(native.ErrBanned)
	_, err := signIn(t, r.server.said["native"], native.Credentials{Account: "bea", Password: "secret"}, guestOptions())
	if !errors.Is(err, native.ErrBanned) {
		t.Errorf("who is banned is told %v", err)
	}
	mustNotSignIn(t, r.server.said["native"], native.Credentials{Account: "bea", Password: "wrong"}, guestOptions())
}
