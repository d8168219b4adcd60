package e2e

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// faultSeed decides when what is killed; 0 draws one.
var faultSeed = flag.Uint64("fault-seed", 0, "play TestRegion_Faults with this seed")

// faults is what TestRegion_Faults goes through.
type faults struct {
	*testing.T
	r        *region
	random   *rand.Rand
	logins   [2]*gatepass
	managers [2]*gatepass
	gates    [2]*gatepass
	players  []*moving
	// toLogin and toGate are their addresses, which stay what they are.
	toLogin, toGate [2]string
	// logged and entered count what went well, refusals and breaks what did not.
	logged, entered, returned, refusals, breaks atomic.Int64
}

// moving is a player who is always on the way. It belongs to one goroutine.
type moving struct {
	*player
	f      *faults
	random *rand.Rand
	visit  *visit
	world  int
}

// TestRegion_Faults kills gates, managers and login servers, at any moment, while
// players log in, walk into worlds and come back as fast as they can. Whatever
// happens nobody is in two worlds by one key, nobody waits beyond the limits, and
// as soon as what was killed is back everything works for everybody.
func TestRegion_Faults(t *testing.T) {
	t.Parallel()
	seed := *faultSeed
	for seed == 0 {
		seed = rand.Uint64()
	}
	t.Logf("again: go test ./e2e -run TestRegion_Faults -fault-seed %d", seed)
	f := &faults{T: t, random: rand.New(rand.NewPCG(seed, 0))}
	f.open(24)
	rounds := []string{"gate", "manager", "login", "gate", "manager", "login"}
	f.random.Shuffle(len(rounds), func(i, j int) { rounds[i], rounds[j] = rounds[j], rounds[i] })
	if testing.Short() {
		rounds = rounds[:3]
	}
	for _, victim := range rounds {
		begin := time.Now()
		f.round(victim)
		if f.Failed() {
			break
		}
		f.Logf("%s: %v", victim, time.Since(begin).Round(time.Millisecond))
	}
	f.Logf("%d logins, %d times into a world, %d times back; refused %d times, hung up on %d times",
		f.logged.Load(), f.entered.Load(), f.returned.Load(), f.refusals.Load(), f.breaks.Load())
	for _, m := range f.players {
		m.out()
	}
}

func (f *faults) open(players int) {
	f.r = newRegion(f, []string{"manager.a", "manager.b", "login.a", "login.b", "world.1", "world.2"},
		"GATEPASS_REGION__HEARTBEAT=500ms", "GATEPASS_REGION__LEASE=1s", "GATEPASS_DRAIN_LIMIT=500ms")
	f.r.addPlayers(players, "a", "b")
	for i, name := range []string{"a", "b"} {
		f.managers[i] = f.r.manager(name)
		f.logins[i] = f.r.login(name, "127.0.0.1:0")
		f.gates[i] = f.r.gate(i+1, 1000, "127.0.0.1:0")
		f.toLogin[i], f.toGate[i] = f.logins[i].grunt, f.gates[i].said["gate"]
	}
	for i := range players {
		p := newPlayer(f, vanilla, i)
		p.limit = patience // beyond all limits of the program
		f.players = append(f.players, &moving{player: p, f: f, random: rand.New(rand.NewPCG(f.random.Uint64(), 1))})
	}
	f.recovered()
}

// soon is a moment within the next half second, so that what is under way is hit
// anywhere.
func (f *faults) soon() {
	time.Sleep(time.Duration(f.random.IntN(500)) * time.Millisecond)
}

// round kills one process under load and starts it again.
func (f *faults) round(victim string) {
	var stop atomic.Bool
	var all sync.WaitGroup
	for _, m := range f.players {
		all.Go(func() {
			for !stop.Load() {
				if err := m.move(); !m.bearable(err) {
					f.Errorf("%s: %v", m.account.name, err)
					return
				}
			}
		})
	}
	f.soon()
	which := f.random.IntN(2)
	switch victim {
	case "gate":
		g := f.gates[which]
		g.kill()
		f.soon()
		f.gates[which] = f.r.gate(which+1, 1000, f.toGate[which])
	case "login":
		g := f.logins[which]
		g.kill()
		f.soon()
		f.logins[which] = f.r.login(nodeName(g), f.toLogin[which])
	case "manager":
		one, two := leader(f, f.managers[0], f.managers[1])
		one.kill()
		f.soon()
		f.managers = [2]*gatepass{two, f.r.manager(nodeName(one))}
	}
	f.soon()
	stop.Store(true)
	all.Wait()
	if !f.Failed() {
		f.recovered()
	}
}

// bearable tells whether what happened to a player may happen while something is
// being killed.
func (m *moving) bearable(err error) bool {
	_, no := refused(err)
	switch {
	case err == nil:
		return true
	case no && !strings.HasPrefix(err.Error(), "login "): // nobody's password is wrong
		m.f.refusals.Add(1)
	case hungUp(err):
		m.f.breaks.Add(1)
	default:
		return false
	}
	m.out()
	return true
}

// out leaves the world.
func (m *moving) out() {
	if m.visit != nil {
		m.visit.leave()
		m.visit = nil
	}
}

// move is a player's next step, by chance.
func (m *moving) move() error {
	login := m.f.toLogin[m.random.IntN(2)]
	switch {
	case m.visit == nil:
		if err := m.login(login); err != nil {
			return err
		}
		m.f.logged.Add(1)
		return m.enter(m.random.IntN(2))
	case m.random.IntN(3) == 0:
		return m.everywhere(login)
	}
	if m.random.IntN(2) == 0 {
		m.out()
	}
	return m.goBack(login)
}

// enter walks into a world.
func (m *moving) enter(world int) (err error) {
	if m.visit, err = m.knock(m.f.toGate[world]); err != nil {
		return err
	}
	m.world = world
	m.f.entered.Add(1)
	return m.visit.look()
}

// goBack goes to a login server by the key, which ends the visit, and on into a
// world.
func (m *moving) goBack(login string) error {
	if err := m.comeBack(login); err != nil {
		return err
	}
	m.f.returned.Add(1)
	if m.visit != nil {
		if err := m.visit.ended(); err != nil {
			return fmt.Errorf("back at the list, and in the world still: %w", err)
		}
	}
	if _, err := m.realms(); err != nil {
		return err
	}
	return m.enter(m.random.IntN(2))
}

// everywhere tries, from within a world, the key at the other world and at a login
// server at the same time. However that comes out, it is in one world at most.
func (m *moving) everywhere(login string) error {
	there, back := *m.player, *m.player
	there.conn, back.conn = nil, nil
	defer back.leave()
	var other *visit
	var otherErr, backErr error
	var both sync.WaitGroup
	both.Go(func() { other, otherErr = there.knock(m.f.toGate[1-m.world]) })
	both.Go(func() { backErr = back.comeBack(login) })
	both.Wait()
	if other != nil {
		defer other.leave()
		otherErr = other.look()
	}
	switch {
	case backErr == nil: // the key went to the login server, and on to the other world perhaps
		if err := m.visit.ended(); err != nil {
			return fmt.Errorf("the key is at the login server (other world: %v), and in the world still: %w", otherErr, err)
		}
		m.out()
	case otherErr == nil:
		return errors.New("two worlds took the key, and it never was at a login server")
	}
	if timedOut(otherErr) || timedOut(backErr) {
		return fmt.Errorf("nothing came in time: %w, %w", otherErr, backErr)
	}
	if m.visit != nil {
		return m.visit.look()
	}
	return nil
}

// recovered wants all that was killed to be back, and then everybody to get
// everywhere.
func (f *faults) recovered() {
	f.Helper()
	leader(f, f.managers[0], f.managers[1])
	eyes := []*player{newPlayer(f, vanilla, 0), newPlayer(f, vanilla, 1)}
	for i, eye := range eyes {
		must(f, eye.login(f.toLogin[i]))
		eye.sees(f, "both worlds", func(l map[byte]realm) bool { return online(1)(l) && online(2)(l) })
		eye.leave()
	}
	mustAll(f, "after the restart", atOnce(len(f.players), func(i int) error {
		m := f.players[i]
		m.out()
		if err := m.login(f.toLogin[i%2]); err != nil {
			return err
		}
		for _, world := range []int{0, 1} {
			if err := m.enter(world); err != nil {
				return fmt.Errorf("world %d: %w", world+1, err)
			}
			m.out()
			if err := m.comeBack(f.toLogin[(i+world)%2]); err != nil {
				return err
			}
		}
		return nil
	}))
}
