package worlds

import (
	"slices"

	"gatepass/codec"
)

// A world whose credential is in wrong hands. It hears what is sent to it, keeps every
// key and voucher that it gets, and says whatever it likes in its own name: moves under
// every pass, with stamps and hops of its choice, and announcements, with the vouchers
// that it has and with others. A real directory listens to it and to the honest nodes,
// is started anew now and then, and is asked by it for everybody.
//
//	believed     the directory puts an account at that world only for a stay there
//	             that a login server has committed to
//	not told     it is told nothing of an account that was never committed to it, but
//	             which login server has the account's key
//	given back   a login server takes from it only what was committed to it
//	found        in the end every key that an honest node has is found there, whatever
//	             that world says, unless the same login's key has gone to it since
//
// The invariants of sim_check_test.go hold beside that, but for the keys that were
// committed to that world: those it may double.

// simLiar is the number of that node. Its Passes are nil, as those of one that is down.
const simLiar = simNodes

// simLies is what the hostile world has, and the directory that hears it.
type simLies struct {
	on    bool
	heard []simHeard
	// given are the stays that were committed to it, in their order.
	given  []simGiven
	leaked map[Stamp]bool // by simIdentity
	dir    *Directory
	lives  [simNodes + 1]uint64
	// told is how many effects were for it, back how many keys were taken back from it.
	told, back int
}

// simHeard is a message that came to the hostile world.
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

// newDirectory is another manager that leads: all announce to it what they have.
func (s *sim) newDirectory() {
	s.lies.dir = NewDirectory(DirectoryOptions{Vouchers: testVouchers()})
	s.lies.dir.Tick(s.now)
	s.allHold()
}

// allHold has every honest node announce what it has, in a life of its own.
func (s *sim) allHold() {
	for i := range simNodes {
		s.begin(i)
	}
	for i := range simNodes {
		s.hold(i)
	}
}

// begin begins a life of an honest node.
func (s *sim) begin(i int) {
	s.lies.lives[i]++
	s.lies.dir.Hello(s.nodes[i].name, s.lies.lives[i])
}

// hold announces all that an honest node has.
func (s *sim) hold(i int) {
	if p := s.nodes[i].p; p != nil {
		p.Each(func(h *Held[simOwner]) { s.announce(i, AnnounceHeld, h.Account, h.Stay()) })
	}
}

func (s *sim) announce(i int, kind AnnouncementKind, account codec.Name, stay Stay) {
	a := Announcement{Account: account, Stamp: stay.Stamp, Hop: stay.Hop, Kind: kind, Voucher: stay.Voucher}
	s.lies.dir.Announce(s.nodes[i].name, s.lies.lives[i], &a)
}

// announceChange tells the directory what has changed at an honest node in a step;
// some of it is lost.
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

// lie has the hostile world do something, and the directory start anew now and then.
func (s *sim) lie() {
	switch n := s.rng.IntN(20); {
	case n == 0:
		s.newDirectory()
	case n < 4:
		s.liarClaims()
	case n < 8 && len(s.lies.heard) > 0: // as it should be
		s.liarAnswers(&s.lies.heard[s.rng.IntN(len(s.lies.heard))])
	case n < 12 && len(s.lies.heard) > 0:
		s.liarMoves(s.lies.heard[s.rng.IntN(len(s.lies.heard))].move)
	default:
		s.liarAnnounces()
	}
	s.checkDirectory()
}

// liarClaims asks for a key, of a client that knocks there or of none.
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

// liarAnswers does what an honest world would, so that keys come to it and leave it.
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

// liarMoves says something made up of what it has heard, to anybody.
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

// liarStay is a stamp and a hop near to those, or far from them.
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

// liarHears is what came to the hostile world.
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

// liarAnnounces says to the directory where a key is: as it was given, or not; and asks
// for the account.
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

// wasGiven tells whether some stay of an account, of that login if it is not 0, was
// committed to the hostile world.
func (s *sim) wasGiven(account int, stamp Stamp) bool {
	return slices.ContainsFunc(s.lies.given, func(g simGiven) bool {
		return g.account == account && (stamp == 0 || g.stay.Stamp == stamp)
	})
}

// stayGiven is how a stay came to the hostile world, 0 for not at all.
func (s *sim) stayGiven(account codec.Name, stamp Stamp, hop uint32) VoucherKind {
	for _, g := range s.lies.given {
		if simName(g.account) == account && g.stay.Stamp == stamp && g.stay.Hop == hop {
			return g.stay.Voucher.Kind()
		}
	}
	return 0
}

// checkDirectory looks at what the directory believes, and at whom it tells what.
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

// checkGivenBack sees that what a login server took from the hostile world was handed
// over to it.
func (s *sim) checkGivenBack(o *Outcome[simOwner]) {
	s.lies.back++
	if s.stayGiven(o.Account, o.Stamp, o.Hop-1) != VoucherClaimed {
		s.fail("given back: %s of stamp %d hop %d was taken from %s", o.Account, o.Stamp, o.Hop, o.Node)
	}
}

// checkFound has all honest nodes announce what they have, and the hostile world say
// what it can.
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
				holder = "" // the hostile world may have it still
			}
		}
		if p, ok := s.lies.dir.Find(simName(a)); holder != "" && (!ok || p.Holder != holder) {
			s.fail("found: %s is at %s, stamp %d hop %d, and the directory says %+v", simName(a), holder, best.Stamp, best.Hop, p)
		}
	}
}

// after tells whether a stay is of a later login than another, or comes behind it.
func (s Stay) after(o Stay) bool {
	return s.Stamp > o.Stamp || s.Stamp == o.Stamp && s.Hop > o.Hop
}
