package worlds

import (
	"encoding/binary"
	"errors"
)

// simAccount is what the client and the directory know of an account.
type simAccount struct {
	// stamp is that of the last login of the claiming protocol, 0 for none. alive is
	// set until its key is wiped for a reason.
	stamp Stamp
	alive bool
	// place is the directory's answer for it.
	place int
	// session is the last login of the offering protocol.
	session simSession
}

// simSession is a login that gets passes.
type simSession struct {
	stamp Stamp // 0 for none
	login int
	// pass is the unsettled one, or -1.
	pass int
	// in: the client was admitted. world is where it last entered, 0 for nowhere.
	in    bool
	world int
}

// simPass is one pass or claim.
type simPass struct {
	claim     bool
	wrong     bool // the proof
	abandoned bool
	account   int
	stamp     Stamp
	from, to  int
	// fromLife and toLife are the lives of both sides when it began.
	fromLife, toLife int
	// For an offer: whether it is live now, was ever live, was used, or was kept by its
	// login server, and when it first arrived in this life of T.
	live, wasLive, used, kept bool
	arrived                   int64
	arrivedLife               int
	settled                   bool
	why                       Reason
}

func simPassID(n int) (id PassID) {
	binary.BigEndian.PutUint32(id[:], uint32(n)+1)
	return id
}

func simPassIndex(id PassID) int { return int(binary.BigEndian.Uint32(id[:])) - 1 }

func (s *sim) newPass(p simPass) (int, PassID) {
	p.fromLife, p.toLife = s.nodes[p.from].life, s.nodes[p.to].life
	s.passes = append(s.passes, p)
	return len(s.passes) - 1, simPassID(len(s.passes) - 1)
}

func (s *sim) anyLogin() int { return s.rng.IntN(simLogins) }
func (s *sim) anyWorld() int { return simLogins + s.rng.IntN(simNodes-simLogins) }

// clientActs runs one random action of a client.
func (s *sim) clientActs(a int) {
	acc := &s.accounts[a]
	switch n := s.rng.IntN(100); {
	case n < 15 || n < 50 && acc.stamp == 0:
		s.logIn(a, s.anyLogin())
	case n < 50:
		s.claim(a, s.rng.IntN(simNodes))
	case n < 90:
		s.useSession(a)
	case n < 94 && !s.faultless:
		i := s.rng.IntN(simNodes)
		s.at(i, func(p *Passes[simOwner]) {
			s.tell("%s drops %s", s.nodes[i].name, simName(a))
			s.drop(p, a)
		})
	case n < 97 && len(s.passes) > 0:
		k := s.rng.IntN(len(s.passes))
		if s.passes[k].claim {
			s.passes[k].abandoned = true // it needs no outcome
			s.at(s.passes[k].to, func(p *Passes[simOwner]) { p.Abandon(simPassID(k)) })
		}
	}
}

// logIn is a fresh login. The directory learns of it and tells the holder of the older
// key.
func (s *sim) logIn(a, login int) {
	s.at(login, func(p *Passes[simOwner]) {
		acc := &s.accounts[a]
		if acc.stamp != 0 && s.rng.IntN(4) > 0 {
			s.push(simEvent{at: s.now + s.rng.Int64N(500), kind: simEnd, node: acc.place, account: a, stamp: acc.stamp})
		}
		s.stamp++
		acc.stamp, acc.alive, acc.place = s.stamp, true, login
		key := simKey(uint64(s.stamp))
		s.tell("%s logs in at %s: stamp=%d", simName(a), s.nodes[login].name, s.stamp)
		s.end(p, a)
		h, older := p.Hold(simName(a), s.stamp, &key)
		if older != nil && *older == 0 {
			s.fail("owner: the older key of %s had lost what was kept with it", simName(a))
		}
		h.Owner = s.stamp
	})
}

// claim is a client that connects to a node, which claims its key.
func (s *sim) claim(a, to int) {
	acc := &s.accounts[a]
	holder, proof := acc.place, simKey(uint64(acc.stamp))
	if s.rng.IntN(100) < s.faults.stale {
		holder = s.rng.IntN(simNodes)
	}
	if s.rng.IntN(100) < s.faults.wrongProof {
		proof = simKey(99)
	}
	right := simKey(uint64(acc.stamp))
	wrong := string(proof.Bytes()) != string(right.Bytes())
	s.at(to, func(p *Passes[simOwner]) {
		if h := p.Find(simName(a)); h != nil && h.Stamp == acc.stamp {
			return // the key is here or moving away
		}
		s.tell("%s knocks at %s, claimed from %s", simName(a), s.nodes[to].name, s.nodes[holder].name)
		_, id := s.newPass(simPass{claim: true, wrong: wrong, account: a, stamp: acc.stamp, from: holder, to: to})
		var pr Proof
		copy(pr.Digest[:], proof.Bytes())
		if err := p.Claim(id, simName(a), s.nodes[holder].name, &pr); err != nil {
			s.passes[len(s.passes)-1].settled = true
		}
	})
}

// useSession advances the session that gets passes: a login, a selection, or another
// selection.
func (s *sim) useSession(a int) {
	ses := &s.accounts[a].session
	switch {
	case ses.stamp == 0 || ses.in || s.rng.IntN(10) == 0:
		s.endSession(a)
		s.stamp++
		*ses = simSession{stamp: s.stamp, login: s.anyLogin(), pass: -1}
		s.offer(a)
	case ses.pass < 0 || s.rng.IntN(8) == 0: // the last is an impatient client
		s.offer(a)
	case s.rng.IntN(2) == 0:
		var err error
		s.at(ses.login, func(p *Passes[simOwner]) {
			s.tell("%s picks again: pass=%d", simName(a), ses.pass)
			err = p.Recall(simPassID(ses.pass))
		})
		if err != nil && ses.pass >= 0 { // it did not settle in this step either
			s.fail("recall: pass %d is not settled, and %v", ses.pass, err)
		}
	}
}

// drop ends everything of an account at a node.
func (s *sim) drop(p *Passes[simOwner], a int) {
	s.excused[a] = true
	s.end(p, a)
	p.Drop(simName(a))
}

// end records that a key at a node will not be accepted again.
func (s *sim) end(p *Passes[simOwner], a int) {
	if h := p.Find(simName(a)); h != nil {
		s.ended[simIdentity(h)] = true
	}
}

// endSession ends a session at its login server.
func (s *sim) endSession(a int) {
	ses := &s.accounts[a].session
	if ses.world != 0 && s.rng.IntN(4) > 0 { // the directory tells the gate of the next login
		s.push(simEvent{at: s.now + s.rng.Int64N(500), kind: simEnd, node: ses.world, account: a, stamp: ses.stamp})
	}
	if ses.stamp != 0 && ses.pass >= 0 {
		pass := ses.pass
		s.at(ses.login, func(p *Passes[simOwner]) {
			s.tell("%s closes: pass=%d", simName(a), pass)
			_ = p.Recall(simPassID(pass)) // a pass that settles in this step is settled
		})
	}
}

func (s *sim) offer(a int) {
	ses := &s.accounts[a].session
	to := s.anyWorld()
	if s.lies.on && s.rng.IntN(5) == 0 {
		to = simLiar
	}
	s.at(ses.login, func(p *Passes[simOwner]) {
		k, id := s.newPass(simPass{account: a, stamp: ses.stamp, from: ses.login, to: to})
		key := simKey(1<<32 | uint64(k))
		err := p.Offer(id, simName(a), ses.stamp, s.nodes[to].name, &key)
		s.tell("%s picks %s: pass=%d: %v", simName(a), s.nodes[to].name, k, err)
		before := ses.pass
		unsettled := before >= 0 && p.moves.find(simPassID(before)) != nil
		switch {
		case err == nil && !unsettled:
			ses.pass = k
		case errors.Is(err, ErrMoving) && unsettled:
			s.passes[k].settled = true
		case errors.Is(err, ErrNotHeld):
			ses.stamp, s.passes[k].settled = 0, true
		default:
			s.fail("session intact: pass %d, with %d before it: %v", k, before, err)
		}
		if s.rng.IntN(100) < s.faults.eager {
			s.push(simEvent{at: s.now + s.rng.Int64N(50), kind: simKnock, node: to, pass: k})
		}
	})
}

// knock is a client at a world's gate with its pass.
func (s *sim) knock(world, k int) {
	pass := &s.passes[k]
	s.at(world, func(p *Passes[simOwner]) {
		h := p.Pass(simPassID(k))
		used, err := p.Use(simPassID(k))
		s.tell("knock at %s: pass=%d: %v", s.nodes[world].name, k, err)
		if (h == nil) != (err != nil) {
			s.fail("use: pass %d was found: %v, used: %v", k, h != nil, err)
		}
		if err != nil {
			return
		}
		want := simKey(1<<32 | uint64(k))
		switch {
		case pass.used:
			s.fail("once: pass %d was used twice", k)
		case pass.kept:
			s.fail("kept: pass %d was used after its login server took it for failed", k)
		case string(used.Key().Bytes()) != string(want.Bytes()):
			s.fail("use: pass %d has another key", k)
		}
		pass.used = true
		s.enter(p, world, k, used)
	})
}

// enter makes a gate keep the key of a used pass.
func (s *sim) enter(p *Passes[simOwner], world, k int, used *Held[simOwner]) {
	a, key := s.passes[k].account, used.key
	if h := p.Find(used.Account); h != nil && h.Stamp > used.Stamp {
		s.fail("newer: pass %d of stamp %d was used at %s, where %v is", k, used.Stamp, s.nodes[world].name, h)
	}
	s.end(p, a)
	s.excused[a] = true // an older login's moving key is removed too
	h, _ := p.HoldAt(used.Account, used.Stay(), &key)
	h.Owner = used.Stamp
	if p.Find(used.Account) != h || h.Hop != 1 || h.Key() == nil {
		s.fail("use: pass %d has left %v at %s", k, h, s.nodes[world].name)
	}
	if ses := &s.accounts[a].session; ses.stamp == used.Stamp {
		ses.world = world
	}
}

// clientsLose records what the clients of a crashed node lose.
func (s *sim) clientsLose(i int) {
	for a := range s.accounts {
		s.excused[a] = true
		if ses := &s.accounts[a].session; ses.login == i {
			*ses = simSession{}
		}
	}
}

// outcome handles a node's outcome of a move.
func (s *sim) outcome(i int, o *Outcome[simOwner]) {
	k := simPassIndex(o.Pass)
	a := int(o.Account[0] - 'A')
	acc := &s.accounts[a]
	if o.Kind == OutcomeLapsed && k < 0 {
		s.excused[a] = true
		if h := s.nodes[i].p.Find(o.Account); h == nil || h.Stamp <= o.Stamp {
			s.fail("newer: the key of %s, stamp %d, gave way to %v", o.Account, o.Stamp, h)
		}
		if o.Owner != o.Stamp {
			s.fail("owner: %s lapsed with %d of %d", o.Account, o.Owner, o.Stamp)
		}
		return
	}
	pass := &s.passes[k]
	if s.faultless && o.Reason == ReasonTimeout {
		s.fail("alive: pass %d timed out without a fault", k)
	}
	switch o.Kind {
	case OutcomeTaken:
		pass.wasLive = true
		if pass.claim {
			s.settle(o)
			if pass.wrong && pass.from != simLiar { // checked again: see logic, gate
				s.fail("proof: pass %d was taken with a wrong one", k)
			}
			pass.stamp = o.Stamp
			if pass.from == simLiar {
				s.checkGivenBack(o)
			}
			s.nodes[i].p.Find(o.Account).Owner = o.Stamp
			if o.Stamp == acc.stamp {
				acc.place = i
			}
		}
	case OutcomeNotTaken:
		s.settle(o)
		if o.Reason == ReasonReplaced || o.Reason == ReasonTimeout || s.crashed(pass.from, pass.fromLife) {
			s.excused[a] = true
		}
	case OutcomeLeft:
		// T may have dropped the pending key while its Accept was on the way.
		if s.crashed(pass.to, pass.toLife) || pass.settled && pass.why == ReasonReplaced || s.newerAt(pass.to, o) {
			s.excused[a] = true
		}
		if o.Owner != o.Stamp {
			s.fail("owner: %s left with %d of %d", o.Account, o.Owner, o.Stamp)
		}
	case OutcomeIssued:
		s.issued(i, pass, k)
	case OutcomeAdmitted:
		s.settle(o)
		if !pass.used && pass.to != simLiar {
			s.fail("admitted: pass %d was never used", k)
		}
		if acc.session.pass == k {
			acc.session.pass, acc.session.in = -1, true
		}
	case OutcomeKept:
		s.settle(o)
		s.kept(pass, k, o.Reason)
		if acc.session.pass == k {
			acc.session.pass = -1
		}
	case OutcomeLapsed:
	}
}

// newerAt reports whether a node has the key of a later login. It then drops a pending
// key of an older login, without an outcome if the client has gone.
func (s *sim) newerAt(i int, o *Outcome[simOwner]) bool {
	h := s.nodes[i].p.Find(o.Account)
	return h != nil && h.Stamp > o.Stamp
}

// crashed reports whether a node has crashed since that life.
func (s *sim) crashed(i, life int) bool { return s.nodes[i].p == nil || s.nodes[i].life != life }

func (s *sim) settle(o *Outcome[simOwner]) {
	pass := &s.passes[simPassIndex(o.Pass)]
	if pass.settled {
		s.fail("once: pass %d has come out twice", simPassIndex(o.Pass))
	}
	pass.settled, pass.why = true, o.Reason
}

// issued: the client learns that it may go, and connects, sometimes repeatedly, late,
// or to a wrong gate.
func (s *sim) issued(login int, pass *simPass, k int) {
	if !pass.wasLive && pass.to != simLiar {
		s.fail("issued: pass %d was never live", k)
	}
	if mv := s.nodes[login].p.moves.find(simPassID(k)); mv != nil && !mv.held.key.Empty() {
		s.fail("issued: the login server still has pass %d", k)
	}
	at := s.now + s.rng.Int64N(200)
	if !s.faultless && s.rng.IntN(3) == 0 {
		at = s.now + s.rng.Int64N(2*simValidity)
	}
	if s.rng.IntN(5) > 0 {
		s.push(simEvent{at: at, kind: simKnock, node: pass.to, pass: k})
		s.push(simEvent{at: at + s.rng.Int64N(20), kind: simKnock, node: s.anyWorld(), pass: k})
	}
}

// kept: there must be no live pass now or later. The check sets T's clock to the
// present time first.
func (s *sim) kept(pass *simPass, k int, why Reason) {
	pass.kept = true
	if pass.used && why != ReasonTimeout && !s.crashed(pass.to, pass.toLife) {
		s.fail("kept: pass %d was used, and T knows it", k)
	}
	if n := &s.nodes[pass.to]; n.p != nil {
		n.p.Tick(n.clock(s.now)) // its results are sent with its next step
		if n.p.Pass(simPassID(k)) != nil {
			s.fail("kept: pass %d is live at %s", k, n.name)
		}
	}
}
