package worlds

import (
	"slices"

	"gatepass/codec"
)

// A world whose credential is stolen. It receives the messages for it, keeps every key
// and voucher, and sends any message in its own name: moves under every pass, with any
// stamps and hops, and announcements with its vouchers and others. A real directory
// receives its messages and those of the honest nodes, restarts now and then, and
// answers its requests about every account.
//
//	believed     the directory puts an account at that world only for a stay there
//	             that a login server has committed to
//	not told     it is told nothing of an account that was never committed to it, but
//	             which login server has the account's key
//	given back   a login server takes from it only what was committed to it
//	found        in the end every key that an honest node has is found there, whatever
//	             that world says, unless the same login's key has gone to it since
//
// The invariants of sim_check_test.go hold as well, except for the keys that were
// committed to that world: it may duplicate them.

// simLiar is the number of that node. Its Passes are nil, as for a node that is down.
const simLiar = simNodes

// simLies is the state of the hostile world, and its directory.
type simLies struct {
	on    bool
	heard []simHeard
	// given are the stays that were committed to it, in order.
	given  []simGiven
	leaked map[Stamp]bool // by simIdentity
	dir    *Directory
	lives  [simNodes + 1]uint64
	// told counts the effects for it, back the keys that were taken back from it.
	told, back int
}

// simHeard is a message to the hostile world.
type simHeard struct {
	from int
	move Move
}

// simGiven is a stay of an account's key at the hostile world.
type simGiven struct {
	account int
	stay    Stay
}

func (s *sim) resetLies() {
	s.lies = simLies{on: !s.faultless && s.rng.IntN(2) == 0, leaked: make(map[Stamp]bool)}
	s.nodes[simLiar] = simNode{name: WorldNode(simLiar), rate: 1_000_000}
	s.newDirectory()
}

// newDirectory is a new leading manager: all nodes announce their keys to it.
func (s *sim) newDirectory() {
	s.lies.dir = NewDirectory(DirectoryOptions{Vouchers: testVouchers()})
	s.lies.dir.Tick(s.now)
	s.allHold()
}

// allHold makes every honest node announce its keys, each in its own life.
func (s *sim) allHold() {
	for i := range simNodes {
		s.begin(i)
	}
	for i := range simNodes {
		s.hold(i)
	}
}

// begin starts a life of an honest node.
func (s *sim) begin(i int) {
	s.lies.lives[i]++
	s.lies.dir.Hello(s.nodes[i].name, s.lies.lives[i])
}

// hold announces all keys of an honest node.
func (s *sim) hold(i int) {
	if p := s.nodes[i].p; p != nil {
		p.Each(func(h *Held[simOwner]) { s.announce(i, AnnounceHeld, h.Account, h.Stay()) })
	}
}

func (s *sim) announce(i int, kind AnnouncementKind, account codec.Name, stay Stay) {
	a := Announcement{Account: account, Stamp: stay.Stamp, Hop: stay.Hop, Kind: kind, Voucher: stay.Voucher}
	s.lies.dir.Announce(s.nodes[i].name, s.lies.lives[i], &a)
}

// announceChange announces what a step changed at an honest node. Some announcements
// are lost.
func (s *sim) announceChange(i int, before *simView) {
	if !s.lies.on {
		return
	}
	now := &s.views[i]
	for a := range s.accounts {
		if before.accept[a] == now.accept[a] || s.rng.IntN(100) < s.faults.drop {
			continue
		}
		if now.accept[a] == 0 {
			s.announce(i, AnnounceGone, simName(a), before.stay[a])
			continue
		}
		kind := AnnounceMoved
		if i < simLogins && now.stay[a].Hop == 0 {
			kind = AnnounceFresh
		}
		s.announce(i, kind, simName(a), now.stay[a])
	}
	s.checkDirectory()
}

// lie runs one action of the hostile world, and restarts the directory now and then.
func (s *sim) lie() {
	switch n := s.rng.IntN(20); {
	case n == 0:
		s.newDirectory()
	case n < 4:
		s.liarClaims()
	case n < 8 && len(s.lies.heard) > 0: // the honest behaviour
		s.liarAnswers(&s.lies.heard[s.rng.IntN(len(s.lies.heard))])
	case n < 12 && len(s.lies.heard) > 0:
		s.liarMoves(s.lies.heard[s.rng.IntN(len(s.lies.heard))].move)
	default:
		s.liarAnnounces()
	}
	s.checkDirectory()
}

// liarClaims claims a key, for a client that connects there or for none.
func (s *sim) liarClaims() {
	a := s.rng.IntN(simAccounts)
	holder, right := s.accounts[a].place, s.rng.IntN(3) > 0
	if holder == simLiar {
		return
	}
	proof := simKey(99)
	if right {
		proof = simKey(uint64(s.accounts[a].stamp))
	}
	_, id := s.newPass(simPass{claim: true, wrong: !right, account: a, stamp: s.accounts[a].stamp, from: holder, to: simLiar})
	var pr Proof
	copy(pr.Digest[:], proof.Bytes())
	s.liarSays(holder, &Move{Kind: MoveClaim, Pass: id, Account: simName(a), Proof: &pr})
}

// liarAnswers does what an honest world does, so that keys arrive and leave.
func (s *sim) liarAnswers(h *simHeard) {
	m := h.move
	switch m.Kind {
	case MoveOffer:
		m.Kind, m.Ticket, m.Key = MoveAccept, 7, Secret{}
	case MoveCommit:
		m.Kind = MoveLive
		if s.rng.IntN(2) == 0 {
			m.Kind = MoveUsed
		}
	case MoveClaim:
		for _, g := range s.lies.given {
			if g.stay.Voucher.Kind() == VoucherClaimed && simName(g.account) == h.move.Account {
				m.Kind, m.Proof, m.Key = MoveOffer, nil, simKey(uint64(g.stay.Stamp))
				m.Stamp, m.Hop, m.Voucher = g.stay.Stamp, g.stay.Hop+1, g.stay.Voucher
			}
		}
	case MoveAccept:
		m.Kind = MoveCommit
	case MoveRecall:
		m.Kind = MoveRecalled
	}
	s.liarSays(h.from, &m)
}

// liarMoves sends a made-up move, based on what it has heard, to any node.
func (s *sim) liarMoves(m Move) {
	m.Kind = MoveKind(1 + s.rng.IntN(int(MoveKindCount)-1))
	m.Stamp, m.Hop = s.liarStay(m.Stamp, m.Hop)
	m.Reason, m.Proof, m.Key = Reason(1+s.rng.IntN(int(ReasonCount)-1)), nil, Secret{}
	switch m.Kind {
	case MoveClaim:
		m.Proof = &Proof{Digest: [20]byte{1}}
	case MoveOffer:
		m.Key, m.Validity = simKey(uint64(m.Stamp)), uint32(s.rng.IntN(2)*simValidity)
	}
	if s.rng.IntN(4) == 0 {
		m.Ticket++
	}
	if s.rng.IntN(4) == 0 {
		m.Account = simName(s.rng.IntN(simAccounts))
	}
	s.liarSays(s.rng.IntN(simNodes), &m)
}

// liarStay returns a stamp and a hop near the given ones, or far from them.
func (s *sim) liarStay(stamp Stamp, hop uint32) (Stamp, uint32) {
	switch s.rng.IntN(6) {
	case 0:
		return s.stamp, hop
	case 1:
		return s.stamp + 1, 1
	case 2:
		return ^Stamp(0), hop
	case 3:
		return stamp, hop + 1
	case 4:
		return stamp, ^uint32(0)
	}
	return stamp, hop
}

func (s *sim) liarSays(to int, m *Move) {
	s.messages = append(s.messages, *m)
	delay := 1 + s.rng.Int64N(20)
	s.calm = max(s.calm, s.now+delay)
	s.push(simEvent{at: s.now + delay, kind: simDeliver, from: simLiar, node: to, message: len(s.messages) - 1})
}

// liarHears handles a message to the hostile world.
func (s *sim) liarHears(from int, m *Move) {
	s.lies.heard = append(s.lies.heard, simHeard{from, *m})
	if m.Kind != MoveCommit {
		return
	}
	stay := Stay{m.Stamp, m.Hop, m.Voucher}
	if s.vouchers.Right(s.nodes[simLiar].name, m.Account, stay) {
		a := int(m.Account[0] - 'A')
		s.lies.given = append(s.lies.given, simGiven{a, stay})
		s.lies.leaked[m.Stamp] = true
		if acc := &s.accounts[a]; acc.stamp == m.Stamp {
			acc.place = simLiar // so that its client may come back from there
		}
	}
}

// liarAnnounces announces a key to the directory, correctly or not, and asks for the
// account.
func (s *sim) liarAnnounces() {
	a := s.rng.IntN(simAccounts)
	said := Announcement{Account: simName(a), Kind: AnnouncementKind(s.rng.IntN(5))}
	said.Stamp, said.Hop = s.liarStay(s.accounts[a].stamp, 1)
	if n := len(s.lies.given); n > 0 && s.rng.IntN(3) > 0 {
		g := s.lies.given[s.rng.IntN(n)]
		said.Account, said.Stamp, said.Hop, said.Voucher = simName(g.account), g.stay.Stamp, g.stay.Hop, g.stay.Voucher
		if s.rng.IntN(3) == 0 {
			said.Stamp, said.Hop = s.liarStay(said.Stamp, said.Hop)
		}
	}
	if s.rng.IntN(8) == 0 {
		s.lies.lives[simLiar]++
	}
	s.lies.dir.Announce(s.nodes[simLiar].name, s.lies.lives[simLiar], &said)
	s.lies.dir.Locate(s.nodes[simLiar].name, &Locate{Account: simName(a), Tag: uint64(a), Wait: s.rng.IntN(2) == 0}, s.now)
	if s.rng.IntN(4) == 0 {
		s.lies.dir.End(&AccountEnd{Account: simName(a)})
	}
}

// wasGiven reports whether any stay of an account was committed to the hostile world.
// If stamp is not 0, the stay must be of that login.
func (s *sim) wasGiven(account int, stamp Stamp) bool {
	return slices.ContainsFunc(s.lies.given, func(g simGiven) bool {
		return g.account == account && (stamp == 0 || g.stay.Stamp == stamp)
	})
}

// stayGiven returns how a stay came to the hostile world, 0 for not at all.
func (s *sim) stayGiven(account codec.Name, stamp Stamp, hop uint32) VoucherKind {
	for _, g := range s.lies.given {
		if simName(g.account) == account && g.stay.Stamp == stamp && g.stay.Hop == hop {
			return g.stay.Voucher.Kind()
		}
	}
	return 0
}

// checkDirectory checks what the directory believes and what it tells to whom.
func (s *sim) checkDirectory() {
	liar := s.nodes[simLiar].name
	for a := range s.accounts {
		if p, ok := s.lies.dir.Find(simName(a)); ok && p.Holder == liar {
			if s.stayGiven(p.Account, p.Stamp, p.Hop) == 0 {
				s.fail("believed: %s is at %s, stamp %d hop %d, and was never handed over", simName(a), liar, p.Stamp, p.Hop)
			}
		}
	}
	for _, e := range s.lies.dir.Effects() {
		if e.To != liar {
			continue
		}
		s.lies.told++
		switch {
		case e.End != nil && !s.wasGiven(int(e.End.Account[0]-'A'), e.End.Stamp):
			s.fail("not told: %s is told to end %s, stamp %d", liar, e.End.Account, e.End.Stamp)
		case e.Place != nil && e.Place.Holder != "" && e.Place.Holder != liar && e.Place.Holder.Kind() != KindLogin:
			s.fail("not told: %s is told that %s is at %s", liar, e.Place.Account, e.Place.Holder)
		}
	}
}

// checkGivenBack checks that a key that a login server took from the hostile world was
// given to it before.
func (s *sim) checkGivenBack(o *Outcome[simOwner]) {
	s.lies.back++
	if s.stayGiven(o.Account, o.Stamp, o.Hop-1) != VoucherClaimed {
		s.fail("given back: %s of stamp %d hop %d was taken from %s", o.Account, o.Stamp, o.Hop, o.Node)
	}
}

// checkFound makes all honest nodes announce their keys, and the hostile world send all
// that it can.
func (s *sim) checkFound() {
	s.allHold()
	for range 50 {
		s.liarAnnounces()
		s.checkDirectory()
	}
	for a := range s.accounts {
		var best Stay
		var holder Node
		for i := range simNodes {
			if v := &s.views[i]; v.accept[a] != 0 && v.stay[a].after(best) {
				best, holder = v.stay[a], s.nodes[i].name
			}
		}
		for _, g := range s.lies.given {
			if g.account == a && !best.after(g.stay) {
				holder = "" // the hostile world may still have it
			}
		}
		if p, ok := s.lies.dir.Find(simName(a)); holder != "" && (!ok || p.Holder != holder) {
			s.fail("found: %s is at %s, stamp %d hop %d, and the directory says %+v", simName(a), holder, best.Stamp, best.Hop, p)
		}
	}
}

// after reports whether a stay is of a later login than o, or a later stay of the same.
func (s Stay) after(o Stay) bool {
	return s.Stamp > o.Stamp || s.Stamp == o.Stamp && s.Hop > o.Hop
}
