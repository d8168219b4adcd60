package worlds

import "gatepass/codec"

// The tables of Passes: what is known of an account, of a move under way and of
// one that has ended. Records are reused, so that a busy node allocates nothing.

// account is what a node knows of one: its key, if that is here, and the moves
// that concern it. It is in the table as long as there is either.
type account[O any] struct {
	held Held[O]
	// moves is a list.
	moves *move[O]
	// slot is its place in keyTable.all.
	slot int
}

// keyTable is the accounts. Invariant: all and byName have the same ones; all is
// there so that going through them has one order in every run.
type keyTable[O any] struct {
	byName map[codec.Name]*account[O]
	all    []*account[O]
	free   []*account[O]
	// held is how many have a key.
	held int
}

func (t *keyTable[O]) init() { t.byName = make(map[codec.Name]*account[O]) }

// make is the account of that name, which may be new.
func (t *keyTable[O]) make(name codec.Name) *account[O] {
	if a := t.byName[name]; a != nil {
		return a
	}
	var a *account[O]
	if n := len(t.free); n > 0 {
		a, t.free = t.free[n-1], t.free[:n-1]
	} else {
		a = new(account[O])
	}
	a.held.Account, a.slot = name, len(t.all)
	t.byName[name], t.all = a, append(t.all, a)
	return a
}

// put gives an account a key.
func (t *keyTable[O]) put(a *account[O], h Held[O]) {
	if a.held.state == keyNone {
		t.held++
	}
	a.held = h
	a.held.state = keyLive
}

// wipe takes an account's key away. The account stays; see release.
func (t *keyTable[O]) wipe(a *account[O]) {
	if a.held.state != keyNone {
		t.held--
	}
	a.held = Held[O]{Account: a.held.Account}
}

// release forgets an account about which there is nothing to know.
func (t *keyTable[O]) release(a *account[O]) {
	if a.held.state != keyNone || a.moves != nil {
		return
	}
	last := t.all[len(t.all)-1]
	t.all[a.slot], last.slot = last, a.slot
	t.all[len(t.all)-1] = nil
	t.all = t.all[:len(t.all)-1]
	delete(t.byName, a.held.Account)
	*a = account[O]{}
	t.free = append(t.free, a)
}

// stage is how far a move is at this node.
type stage uint8

// Those at H come behind those at T, and those of an offer last.
const (
	// At T.
	stageClaiming stage = iota + 1 // Claim is said
	stagePending                   // Accept is said, the key is stored and opens nothing
	stageLive                      // an offered pass waits for its client
	stageUsed                      // the client came in; H is being told
	// At H, for a key that is claimed.
	stageOffered // Offer is sent, the key is still here
	// At H, for a pass that is offered.
	stageOffering   // Offer is said, the pass is still here
	stageCommitting // the pass is wiped here, Commit is said
	stageIssued     // T has confirmed it
	stageRecalling  // Recall is said
)

// move is one move under way.
type move[O any] struct {
	// held is the key at T, and at H a pass that is offered. A key that is claimed
	// stays with H's account.
	held    Held[O]
	account *account[O]
	next    *move[O] // of the same account
	pass    PassID
	peer    Node
	ticket  uint64
	proof   *Proof
	stage   stage
	// offered is set at T for a pass that came unasked.
	offered bool
	// abandoned is set at T when a claim's client has gone.
	abandoned bool
	// issued is set at H once OutcomeIssued was given.
	issued bool
	// until is when the stage ends, due when the move is to be looked at next, both
	// in milliseconds.
	until, due int64
	// slot is its place in moveTable.queue.
	slot int
}

// moveTable is the moves under way, in a heap by due.
type moveTable[O any] struct {
	byPass map[PassID]*move[O]
	queue  []*move[O]
	free   []*move[O]
}

func (t *moveTable[O]) init()                     { t.byPass = make(map[PassID]*move[O]) }
func (t *moveTable[O]) find(pass PassID) *move[O] { return t.byPass[pass] }
func (t *moveTable[O]) len() int                  { return len(t.queue) }

// first is the one that is due first, or nil.
func (t *moveTable[O]) first() *move[O] {
	if len(t.queue) == 0 {
		return nil
	}
	return t.queue[0]
}

// add begins a move; its due is to be set next.
func (t *moveTable[O]) add(pass PassID, a *account[O], peer Node) *move[O] {
	var mv *move[O]
	if n := len(t.free); n > 0 {
		mv, t.free = t.free[n-1], t.free[:n-1]
	} else {
		mv = new(move[O])
	}
	mv.pass, mv.peer, mv.account = pass, peer, a
	mv.held.Account, mv.held.state = a.held.Account, keyAway
	mv.next, a.moves = a.moves, mv
	mv.slot = len(t.queue)
	t.byPass[pass], t.queue = mv, append(t.queue, mv)
	t.up(mv.slot)
	return mv
}

// remove ends a move and wipes what it held.
func (t *moveTable[O]) remove(mv *move[O]) {
	for at := &mv.account.moves; *at != nil; at = &(*at).next {
		if *at == mv {
			*at = mv.next
			break
		}
	}
	delete(t.byPass, mv.pass)
	slot, last := mv.slot, len(t.queue)-1
	t.swap(slot, last)
	t.queue[last] = nil
	t.queue = t.queue[:last]
	if slot < last {
		t.down(slot)
		t.up(slot)
	}
	*mv = move[O]{}
	t.free = append(t.free, mv)
}

// schedule sets when a move is looked at next.
func (t *moveTable[O]) schedule(mv *move[O], due int64) {
	mv.due = due
	t.down(mv.slot)
	t.up(mv.slot)
}

func (t *moveTable[O]) swap(i, j int) {
	q := t.queue
	q[i], q[j] = q[j], q[i]
	q[i].slot, q[j].slot = i, j
}

func (t *moveTable[O]) up(i int) {
	for i > 0 && t.queue[i].due < t.queue[(i-1)/2].due {
		t.swap(i, (i-1)/2)
		i = (i - 1) / 2
	}
}

func (t *moveTable[O]) down(i int) {
	for {
		least := i
		for child := 2*i + 1; child <= 2*i+2 && child < len(t.queue); child++ {
			if t.queue[child].due < t.queue[least].due {
				least = child
			}
		}
		if least == i {
			return
		}
		t.swap(i, least)
		i = least
	}
}

// how says how a move ended at this node.
type how uint8

const (
	endRefused   how = iota // nothing more comes of it, for the reason
	endCommitted            // at H: the key has left
	endTaken                // at T: the claimed key came
)

// ending is what is remembered of a move that has ended.
type ending struct {
	pass   PassID
	peer   Node
	ticket uint64
	how    how
	reason Reason
	// voucher went with the commit.
	voucher Voucher
	until   int64
}

// endTable is the moves that have ended, a ring by age. All are remembered
// equally long, so that the oldest is always the next to be forgotten.
type endTable struct {
	byPass map[PassID]uint64 // the number of the ending
	ring   []ending          // ending n is at n modulo its length, a power of 2
	// The endings from first up to next are known.
	first, next uint64
	most        int
}

func (t *endTable) init(most int) {
	t.byPass, t.most = make(map[PassID]uint64), most
}

func (t *endTable) at(n uint64) *ending { return &t.ring[n&uint64(len(t.ring)-1)] }

// find is what is remembered of a pass, or nil.
func (t *endTable) find(pass PassID) *ending {
	if n, ok := t.byPass[pass]; ok {
		return t.at(n)
	}
	return nil
}

// add remembers an ending, and forgets the oldest where there is no room.
func (t *endTable) add(e ending) {
	n := int(t.next - t.first)
	if n == t.most {
		t.forget()
	} else if n == len(t.ring) {
		t.grow()
	}
	*t.at(t.next) = e
	t.byPass[e.pass] = t.next
	t.next++
}

func (t *endTable) grow() {
	old := *t
	t.ring = make([]ending, max(64, 2*len(old.ring)))
	for n := t.first; n < t.next; n++ {
		*t.at(n) = *old.at(n)
	}
}

func (t *endTable) forget() {
	delete(t.byPass, t.at(t.first).pass)
	*t.at(t.first) = ending{}
	t.first++
}

// expire forgets what was remembered long enough.
func (t *endTable) expire(now int64) {
	for t.first < t.next && t.at(t.first).until <= now {
		t.forget()
	}
}
