package worlds

import (
	"encoding/binary"
	"fmt"
)

// The invariants, checked after every step at the node where it was:
//
//	one key      of one login, at most one node has a key that it would accept, and
//	             then no other node has a copy but one that is pending
//	one pass     of one session, at most one pass is live
//	once         a pass is used once, a move comes out once
//	issued       a client is told to go when the pass is live and the copy gone
//	kept         a failed offer is live nowhere, then and ever after; the session
//	             can be offered another
//	validity     an unused pass is gone when its validity is over
//	ended        a key that was dropped where it was is accepted nowhere any more,
//	             an older one never takes the place of a newer
//	not lost     without a crash, a ban or a newer login, a key is always somewhere
//	settles      when the faults are over, everything comes to an end, in time
//	alive        then, and in runs without faults, what is right succeeds
//	gone         when all is dropped, nothing is left anywhere

// simView is the state of a node after its last step.
type simView struct {
	accept [simAccounts]Stamp // keys that it would accept, by simIdentity
	copy   [simAccounts]Stamp // keys that it has, offered ones included
	stay   [simAccounts]Stay  // those of accept
}

// simIdentity identifies keys: the key of a login by its stamp, and the key of a used
// pass by the pass.
func simIdentity(h *Held[simOwner]) Stamp { return Stamp(binary.BigEndian.Uint64(h.key.Bytes())) }

// stampOf returns the stamp of the key's login.
func (s *sim) stampOf(identity Stamp) Stamp {
	if k := int(identity - 1<<32); identity >= 1<<32 && k < len(s.passes) {
		return s.passes[k].stamp
	}
	return identity
}

func (s *sim) fail(format string, args ...any) {
	if s.failure == nil {
		s.failure = fmt.Errorf("step %d, %d ms: "+format, append([]any{s.step, s.now}, args...)...)
		s.tell("FAILED %v", s.failure)
	}
}

// check checks the node of the last step.
func (s *sim) check(i int) {
	n, view := &s.nodes[i], &s.views[i]
	*view = simView{}
	for a := range s.accounts {
		if n.p == nil {
			break
		}
		if h := n.p.Find(simName(a)); h != nil {
			id := simIdentity(h)
			view.copy[a] = id
			if h.Key() != nil {
				view.accept[a], view.stay[a] = id, h.Stay()
			}
			if h.Key() != nil && s.ended[id] {
				s.fail("ended: %s accepts stamp %d", n.name, h.Stamp)
			}
			if s.stampOf(id) != h.Stamp {
				s.fail("one key: %s has another key under stamp %d", n.name, h.Stamp)
			}
		}
	}
	s.checkKeys(i)
	s.checkPasses(i)
	for a := range s.accounts {
		s.checkNotLost(a)
	}
	s.excused = [simAccounts]bool{}
}

func (s *sim) checkKeys(i int) {
	for j := range s.nodes {
		for a := range s.accounts {
			x, y := &s.views[i], &s.views[j]
			if i != j && !s.lies.leaked[x.accept[a]] && !s.lies.leaked[y.accept[a]] && (x.accept[a] != 0 && x.accept[a] == y.copy[a] || y.accept[a] != 0 && y.accept[a] == x.copy[a]) {
				s.fail("one key: %s and %s both have the key of %s, stamp %d", s.nodes[i].name, s.nodes[j].name, simName(a), y.copy[a])
			}
		}
	}
}

func (s *sim) checkPasses(i int) {
	n := &s.nodes[i]
	for k := range s.passes {
		pass := &s.passes[k]
		if pass.claim || pass.to != i {
			continue
		}
		pass.live = n.p != nil && n.p.Pass(simPassID(k)) != nil
		if !pass.live {
			continue
		}
		pass.wasLive = true
		// The slowest clock, and its rounding.
		if s.now-pass.arrived > simValidity*100/99+2 {
			s.fail("validity: pass %d is live %d ms after its offer came", k, s.now-pass.arrived)
		}
		if h := &s.nodes[pass.from]; h.p != nil {
			if mv := h.p.moves.find(simPassID(k)); mv != nil && !mv.held.key.Empty() {
				s.fail("one key: pass %d is live at %s, and not gone from %s", k, n.name, h.name)
			}
		}
		s.checkAlone(k)
	}
}

// checkAlone checks that a session has at most one live pass, and none too many.
func (s *sim) checkAlone(k int) {
	pass := &s.passes[k]
	if pass.kept || pass.used {
		s.fail("kept: pass %d is live after it was kept (%v) or used (%v)", k, pass.kept, pass.used)
	}
	for j := range s.passes {
		o := &s.passes[j]
		if j == k || o.claim || !o.live || o.account != pass.account {
			continue
		}
		if o.to == pass.to && o.stamp != pass.stamp {
			s.fail("newer: passes of two logins are live at one world: %d and %d", j, k)
		}
		if o.stamp != pass.stamp {
			continue
		}
		n := &s.nodes[o.to]
		n.p.Tick(n.clock(s.now)) // its last step may be long ago
		if o.live = n.p.Pass(simPassID(j)) != nil; o.live {
			s.fail("one pass: %d and %d of one session are live", j, k)
		}
	}
}

// checkNotLost checks that the key of a login did not vanish in this step.
func (s *sim) checkNotLost(a int) {
	acc := &s.accounts[a]
	if !acc.alive {
		return
	}
	for i := range s.nodes {
		if s.views[i].copy[a] == acc.stamp {
			return
		}
		if p := s.nodes[i].p; p != nil {
			for _, mv := range p.moves.queue {
				if mv.held.Stamp == acc.stamp && mv.held.Account == simName(a) && !mv.held.key.Empty() {
					return
				}
			}
		}
	}
	for k := range s.passes {
		// These have no outcome to report.
		pass := &s.passes[k]
		if pass.abandoned && pass.account == a && s.crashed(pass.from, pass.fromLife) {
			s.excused[a] = true
		}
	}
	if acc.alive = false; !s.excused[a] && !s.ended[acc.stamp] {
		s.fail("not lost: the key of %s, stamp %d, is nowhere", simName(a), acc.stamp)
	}
}

// offerArrives records when T first receives a pass.
func (s *sim) offerArrives(i int, m *Move) {
	pass := &s.passes[simPassIndex(m.Pass)]
	if pass.arrivedLife != s.nodes[i].life {
		pass.arrived, pass.arrivedLife = s.now, s.nodes[i].life
	}
}

// checkAllCameOut is for runs without faults, where every move has an outcome. Earlier
// checks make sure that none of them is a timeout.
func (s *sim) checkAllCameOut() {
	for k := range s.passes {
		if !s.passes[k].settled && !s.passes[k].abandoned {
			s.fail("alive: pass %d has not come out", k)
		}
	}
}

// lastRound runs once more, without faults, what must succeed: a claim of every
// remaining key, and a pass for every session.
func (s *sim) lastRound() {
	for a := range s.accounts {
		acc := &s.accounts[a]
		if s.failure != nil || !acc.alive {
			continue
		}
		to := 0
		for s.views[to].copy[a] == acc.stamp {
			to++
		}
		for i := range s.views {
			if s.views[i].accept[a] == acc.stamp {
				acc.place = i
			}
		}
		n := len(s.passes)
		s.claim(a, to)
		s.calm = s.now + 1
		s.drain(simSettled)
		if s.failure == nil && (len(s.passes) == n || s.views[to].accept[a] != acc.stamp) {
			s.fail("alive: a right claim of %s failed", simName(a))
		}
	}
	for a := range s.accounts {
		ses := &s.accounts[a].session
		if s.failure != nil || ses.stamp == 0 || ses.in || ses.pass >= 0 {
			continue
		}
		s.offer(a)
		s.calm = s.now + 2*simValidity
		n := len(s.passes) - 1
		s.drain(simSettled)
		// A world with a later login of the account refuses it.
		if last := &s.passes[n]; s.failure == nil && ses.stamp != 0 && !last.wasLive && last.why != ReasonReplaced {
			s.fail("alive: a pass of %s was not issued", simName(a))
		}
	}
}

// endAll drops everything everywhere during moves, and checks that nothing is left soon
// after.
func (s *sim) endAll() {
	for a := range s.accounts {
		s.logIn(a, s.anyLogin())
		s.claim(a, s.rng.IntN(simNodes))
		s.useSession(a)
	}
	s.runUntil(s.now + s.rng.Int64N(40))
	for a := range s.accounts {
		for i := range s.nodes {
			s.at(i, func(p *Passes[simOwner]) {
				s.drop(p, a)
				s.drop(p, a) // a moving key can be newer than the dropped one
			})
		}
	}
	s.calm = s.now
	s.drain(simGiveUp)
	for i := range simNodes {
		n := &s.nodes[i]
		if s.failure == nil && (n.p.Len() != 0 || n.p.Moves() != 0 || len(n.p.keys.all) != 0) {
			s.fail("gone: %s still knows of %d keys and %d moves", n.name, n.p.Len(), n.p.Moves())
		}
	}
}
