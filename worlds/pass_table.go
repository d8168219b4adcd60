package worlds

import "gatepass/codec"

// The tables of Passes: accounts, active moves and ended moves. Records are reused, so
// that a busy node does not allocate memory.

// account is a node's state of an account: its key, if it is here, and its moves. It is
// in the table while it has a key or a move.
type account[O any] struct {
	held Held[O]
	// moves is a linked list.
	moves *move[O]
	// slot is the index in keyTable.all.
	slot int
}

// keyTable holds the accounts. Invariant: all and byName have the same accounts. all
// gives iteration the same order in every run.
type keyTable[O any] struct {
	byName map[codec.Name]*account[O]
	all    []*account[O]
	free   []*account[O]
	// held counts the accounts with a key.
	held int
}

func (t *keyTable[O]) init() { t.byName = make(map[codec.Name]*account[O]) }

// make returns the account with that name, and adds it if it is new.
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

// put sets the key of an account.
func (t *keyTable[O]) put(a *account[O], h Held[O]) {
	if a.held.state == keyNone {
		t.held++
	}
	a.held = h
	a.held.state = keyLive
}

// wipe removes an account's key. The account stays; see release.
func (t *keyTable[O]) wipe(a *account[O]) {
	if a.held.state != keyNone {
		t.held--
	}
	a.held = Held[O]{Account: a.held.Account}
}

// release removes an account that has neither key nor moves.
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

// stage is the state of a move at this node.
type stage uint8

// The order matters: stages at T, then those at H, those of an offer last.
const (
	// At T.
	stageClaiming stage = iota + 1 // Claim is sent
	stagePending                   // Accept is sent, the key is stored and not yet accepted
	stageLive                      // an offered pass waits for its client
	stageUsed                      // the client has entered; T tells H
	// At H, for a key that is claimed.
	stageOffered // Offer is sent, the key is still here
	// At H, for a pass that is offered.
	stageOffering   // Offer is sent, the pass is still here
	stageCommitting // the pass is wiped here, Commit is sent
	stageIssued     // T has confirmed the pass
	stageRecalling  // Recall is sent
)

// move is one active move.
type move[O any] struct {
	// held is the key at T, and an offered pass at H. A claimed key stays in H's
	// account.
	held    Held[O]
	account *account[O]
	next    *move[O] // next move of the same account
	pass    PassID
	peer    Node
	ticket  uint64
	proof   *Proof
	stage   stage
	// offered is set at T for a pass that it did not claim.
	offered bool
	// abandoned is set at T when the client of a claim has gone.
	abandoned bool
	// issued is set at H after OutcomeIssued.
	issued bool
	// until is when the stage ends. due is when the move is checked next. Both are in
	// milliseconds.
	until, due int64
	// slot is the index in moveTable.queue.
	slot int
}

// moveTable holds the active moves, in a heap ordered by due.
type moveTable[O any] struct {
	byPass map[PassID]*move[O]
	queue  []*move[O]
	free   []*move[O]
}

func (t *moveTable[O]) init()                     { t.byPass = make(map[PassID]*move[O]) }
func (t *moveTable[O]) find(pass PassID) *move[O] { return t.byPass[pass] }
func (t *moveTable[O]) len() int                  { return len(t.queue) }

// first returns the move that is due first, or nil.
func (t *moveTable[O]) first() *move[O] {
	if len(t.queue) == 0 {
		return nil
	}
	return t.queue[0]
}

// add starts a move. The caller sets its due next.
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

// remove ends a move and wipes its key.
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

// schedule sets when a move is checked next.
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

// how is the way in which a move ended at this node.
type how uint8

const (
	endRefused   how = iota // the move failed, for the reason
	endCommitted            // at H: the key has left
	endTaken                // at T: the claimed key has arrived
)

// ending is what is remembered of an ended move.
type ending struct {
	pass   PassID
	peer   Node
	ticket uint64
	how    how
	reason Reason
	// voucher was sent with the Commit.
	voucher Voucher
	until   int64
}

// endTable holds the ended moves in a ring ordered by age. All are remembered equally
// long, so the oldest always expires next.
type endTable struct {
	byPass map[PassID]uint64 // the number of the ending
	ring   []ending          // ending n is at n modulo the length, a power of 2
	// The endings from first up to, not including, next are known.
	first, next uint64
	most        int
}

func (t *endTable) init(most int) {
	t.byPass, t.most = make(map[PassID]uint64), most
}

func (t *endTable) at(n uint64) *ending { return &t.ring[n&uint64(len(t.ring)-1)] }

// find returns the ending of a pass, or nil.
func (t *endTable) find(pass PassID) *ending {
	if n, ok := t.byPass[pass]; ok {
		return t.at(n)
	}
	return nil
}

// add stores an ending. If there is no room, it drops the oldest.
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

// expire drops endings whose time is over.
func (t *endTable) expire(now int64) {
	for t.first < t.next && t.at(t.first).until <= now {
		t.forget()
	}
}
