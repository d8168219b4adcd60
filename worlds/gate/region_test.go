package gate_test

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/lead"
)

// region is a bus, a manager and a login server, all in this process.
type region struct {
	dir       string
	authority *credentials.Authority
	server    *busserver.Server
	conns     []*bus.Conn
	login     *login
	stop      context.CancelFunc
	managing  sync.WaitGroup
}

func mustRegion(tb testing.TB) *region {
	tb.Helper()
	r, err := newRegion()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(r.close)
	return r
}

func newRegion() (r *region, err error) {
	r = &region{stop: func() {}}
	defer func() {
		if err != nil {
			r.close()
		}
	}()
	if r.dir, err = os.MkdirTemp("", "gate"); err != nil {
		return r, err
	}
	r.authority, err = credentials.InitAuthority(filepath.Join(r.dir, "bus"), credentials.InitOptions{Region: "test", Now: time.Now(), Random: rand.Reader})
	if err != nil {
		return r, err
	}
	if r.server, err = busserver.Start(busserver.Options{Dir: r.authority.Dir()}); err != nil {
		return r, err
	}
	manager, err := r.join("manager.a")
	if err != nil {
		return r, err
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	monitor := new(lead.Monitor)
	r.managing.Go(func() { _ = lead.RunManager(ctx, manager, lead.ManagerOptions{Monitor: monitor}) })
	for deadline := time.Now().Add(10 * time.Second); !monitor.Stats().Leads; time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			return r, errors.New("no manager leads")
		}
	}
	conn, err := r.join("login.a")
	if err != nil {
		return r, err
	}
	r.login, err = newLogin(conn)
	return r, err
}

// join connects a new node.
func (r *region) join(node worlds.Node) (*bus.Conn, error) {
	creds := filepath.Join(r.dir, string(node)+".creds")
	if err := r.authority.AddNode(node, creds); err != nil {
		return nil, err
	}
	conn, err := bus.Connect(context.Background(), bus.Options{Server: r.server, Creds: creds, Demand: true})
	if err == nil {
		r.conns = append(r.conns, conn)
	}
	return conn, err
}

func (r *region) mustJoin(tb testing.TB, node worlds.Node) *bus.Conn {
	tb.Helper()
	conn, err := r.join(node)
	if err != nil {
		tb.Fatal(err)
	}
	return conn
}

func (r *region) close() {
	if r.login != nil {
		r.login.close()
	}
	r.stop()
	r.managing.Wait()
	for _, conn := range r.conns {
		_ = conn.Close()
	}
	if r.server != nil {
		r.server.Close()
	}
	_ = os.RemoveAll(r.dir)
}

// login is a login server as the bus sees it: it holds keys, gives them to worlds whose
// clients have them, and claims them back.
type login struct {
	node *bus.Node
	stop chan struct{}
	done sync.WaitGroup

	mu     sync.Mutex // guards passes, and allows one submit at a time
	passes *worlds.Passes[struct{}]
	// vouchers are the vouchers of passes.
	vouchers *worlds.Vouchers
	stamp    worlds.Stamp
	came     map[worlds.PassID]worlds.OutcomeKind // the outcomes of moves so far
	places   map[worlds.PassID][]uint32           // the progress of passes so far
}

func newLogin(conn *bus.Conn) (l *login, err error) {
	l = &login{stop: make(chan struct{}), came: make(map[worlds.PassID]worlds.OutcomeKind), places: make(map[worlds.PassID][]uint32)}
	l.vouchers = worlds.NewVouchers(nil)
	l.passes = worlds.NewPasses(worlds.PassOptions[struct{}]{
		Self: conn.Self(), Verify: l.verify, Vouchers: l.vouchers,
		Gives: func(to worlds.Node) bool { return to.Kind() == worlds.KindWorld },
	})
	l.passes.Tick(1)
	l.stamp = worlds.NewStamp(time.Now().UnixMilli(), 0)
	l.mu.Lock() // until there is a node to submit to
	defer l.mu.Unlock()
	if l.node, err = conn.Node(bus.NodeOptions{Incarnation: 1, Deliver: l.deliver}); err != nil {
		return nil, err
	}
	l.done.Go(l.clock)
	return l, nil
}

func (l *login) verify(h *worlds.Held[struct{}], p *worlds.Proof) bool {
	return p.World && world.Digest(h.Account.Bytes(), p.ClientSeed, p.ServerSeed, (*[40]byte)(h.Key().Bytes())) == p.Digest
}

func (l *login) clock() {
	started, ticks := time.Now(), time.NewTicker(20*time.Millisecond)
	defer ticks.Stop()
	for {
		select {
		case <-l.stop:
			return
		case <-ticks.C:
			l.do(func() { l.passes.Tick(time.Since(started).Milliseconds()) })
		}
	}
}

func (l *login) close() {
	close(l.stop)
	l.done.Wait()
	_ = l.node.Close()
}

// do changes the passes and submits the results.
func (l *login) do(f func(), more ...worlds.Effect) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f()
	effects := more
	out := l.passes.Outgoing()
	for i := range out {
		effects = append(effects, worlds.Effect{To: out[i].To, Move: &out[i].Move})
	}
	for _, o := range l.passes.Outcomes() {
		l.came[o.Pass] = o.Kind
	}
	l.node.Submit(effects)
}

func (l *login) deliver(e worlds.Event) {
	switch {
	case e.Move != nil:
		l.do(func() { l.passes.Handle(e.From, e.Move) })
	case e.Progress != nil:
		l.do(func() { l.places[e.Progress.Pass] = append(l.places[e.Progress.Pass], e.Progress.Position) })
	case e.Snapshot != nil:
		l.do(func() { l.vouchers.SetKey(&e.Snapshot.VoucherKey) })
	case e.Up, e.Pulse != nil && !l.vouches():
		l.do(l.announceAll, worlds.Effect{AskSnapshot: true})
	}
}

// vouches reports whether a manager has sent the voucher key.
func (l *login) vouches() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.vouchers.Ready()
}

// announceAll announces all keys here to the directory again.
func (l *login) announceAll() {
	l.passes.Each(func(h *worlds.Held[struct{}]) {
		l.node.Submit([]worlds.Effect{{Announce: &worlds.Announcement{
			Account: h.Account, Stamp: h.Stamp, Hop: h.Hop, Kind: worlds.AnnounceHeld,
		}}})
	})
}

func nameOf(account string) codec.Name {
	name, ok := codec.NameOf(account)
	if !ok {
		panic("no account name: " + account)
	}
	return name
}

// hold logs an account in: the key is here, and the directory learns of it.
func (l *login) hold(account string, key [40]byte) {
	secret, name := worlds.NewSecret(key[:]), nameOf(account)
	l.mu.Lock()
	l.stamp++
	stamp := l.stamp
	l.mu.Unlock()
	l.do(func() { l.passes.Hold(name, stamp, &secret) },
		worlds.Effect{Announce: &worlds.Announcement{Account: name, Stamp: stamp, Kind: worlds.AnnounceFresh}})
}

// reclaim claims a key back from a world for a client that has reconnected here.
func (l *login) reclaim(account string, from worlds.Node, key [40]byte) error {
	name, k := nameOf(account), srp6.SessionKey(key)
	proof := worlds.Proof{Client: [16]byte{1}, Challenge: [16]byte{2}}
	proof.Digest = srp6.ReconnectProof(name.Bytes(), &proof.Client, &proof.Challenge, &k)
	pass, err := worlds.PassID{byte(from[len(from)-1]), 7}, error(nil)
	l.do(func() { err = l.passes.Claim(pass, name, from, &proof) })
	if err != nil {
		return err
	}
	return l.wait(pass, worlds.OutcomeTaken)
}

// wait waits for the outcome of a move.
func (l *login) wait(pass worlds.PassID, want worlds.OutcomeKind) error {
	for deadline := time.Now().Add(5 * time.Second); ; time.Sleep(time.Millisecond) {
		l.mu.Lock()
		kind := l.came[pass]
		l.mu.Unlock()
		switch {
		case kind == want:
			return nil
		case kind != 0 || time.Now().After(deadline):
			return fmt.Errorf("the move came to %v", kind)
		}
	}
}

// pass is what a native client gets from its login server.
type pass struct {
	id  worlds.PassID
	key [32]byte
}

// offer logs an account in by the native protocol and selects a world. The pass is
// valid when it returns.
func (l *login) offer(account string, to worlds.Node) (p pass, err error) {
	name := nameOf(account)
	l.mu.Lock()
	l.stamp++
	stamp := l.stamp
	l.mu.Unlock()
	binary.LittleEndian.PutUint64(p.id[:], uint64(stamp))
	session, id := [32]byte{byte(stamp)}, [16]byte(p.id)
	p.key = keyschedule.PassKey(&session, to.Name()[0]-'0', &id)
	l.do(func() {
		secret := worlds.NewSecret(p.key[:])
		err = l.passes.Offer(p.id, name, stamp, to, &secret)
	}, worlds.Effect{Announce: &worlds.Announcement{Account: name, Stamp: stamp, Kind: worlds.AnnounceFresh}})
	if err != nil {
		return p, err
	}
	return p, l.wait(p.id, worlds.OutcomeIssued)
}

func (l *login) mustOffer(tb testing.TB, account string, to worlds.Node) pass {
	tb.Helper()
	p, err := l.offer(account, to)
	if err != nil {
		tb.Fatal(err)
	}
	return p
}

// told returns the progress of a pass so far.
func (l *login) told(p pass) string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return fmt.Sprint(l.places[p.id])
}

// pause stops all actions of the login server until resume is called.
func (l *login) pause() (resume func()) {
	l.mu.Lock()
	return l.mu.Unlock
}

// discard returns a logger without output.
func discard() *slog.Logger { return slog.New(slog.DiscardHandler) }

var errClosed = errors.New("the gate has closed the connection")
