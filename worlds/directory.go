package worlds

import (
	"time"

	"gatepass/codec"
)

// Directory knows which node holds each account's key, so that a gate asks one place
// and not every node. It is soft state and is not stored: the nodes announce every key
// that arrives or leaves, and all their keys when a new manager leads. It belongs to
// one goroutine, which sends what Effects returns. Times are milliseconds of one
// monotonic clock.
//
// Announcements can be late, repeated or lost, so two of them can be about the same
// account. For one login (the same Stamp), the greater Hop is the newer place. Of two
// logins one stays: a fresh login wins, otherwise the greater Stamp. The holder of the
// other key is told to end it, so the next announcement repairs a loss on the bus. The
// Directory never answers with a node that has not announced the key.
//
// A client in a world can select another world at its login server. The login server
// then has a newer key of the account. The Directory treats it as a login (it wins
// against smaller stamps), but SecondLoginRefuse does not refuse it, because it is the
// same player. The player has not given a password again, so an earlier End still
// applies to this key.
//
// The Directory trusts login servers. It accepts a world's announcement only with a
// Voucher of a login server: the proof that this stay of the key, by stamp and hop, was
// handed over to that world. A world can therefore forge neither a login nor its order.
// An announcement without a voucher changes nothing and gets no answer. A world that is
// not registered may only announce the end of a key that it is known to hold. A world
// does not learn about players in other worlds: the answer is the same as for unknown
// accounts.
//
// An entry takes 32 bytes in a slot, and a place in the index; it names its node by
// number. When a node restarts or is gone, its entries are invalid at once, because
// they name a life of the node. Sweeps then free the slots step by step.
type Directory struct {
	options DirectoryOptions
	slots   slots
	lives   lives
	waiting waiting
	// grown is when all nodes have had time to announce their keys. It is 0 before the
	// first Locate or Tick.
	grown int64
	// now is the time of the last Locate or Tick.
	now   int64
	ended ended
	// swept is the earliest time to sweep the entries of ended lives.
	swept   int64
	effects []DirectoryEffect
	stats   DirectoryStats
}

// SecondLogin is the operator's rule for a login to an account that is in use.
type SecondLogin uint8

const (
	// SecondLoginReplace: the newer login ends the older.
	SecondLoginReplace SecondLogin = iota
	// SecondLoginRefuse: an older login that is in a world stays, and the newer login
	// is ended. An older login that is still at a login server is ended.
	SecondLoginRefuse
)

// Reasons of an End, for the log.
const (
	whySecondLogin = "second login"
	// WhyOnline: the account is in a world, and the rule refuses the newer login.
	WhyOnline = "already online"
	whyEnded  = "ended while it moved"
)

// DirectoryOptions configure a Directory.
type DirectoryOptions struct {
	SecondLogin SecondLogin
	// WaitLimit is the longest time that a Locate with Wait stays unanswered; 0 means 3
	// s. For the same time after its first call, a new directory treats every Locate as
	// one with Wait, because the nodes still have to announce their keys.
	WaitLimit time.Duration
	// MaxWaiting is how many requests can wait at the same time. The next one is
	// answered at once as unknown. 0 means 16,384.
	MaxWaiting int
	// MaxEntries is how many accounts can be known. Announcements of further accounts
	// are dropped. 0 means 10,000,000.
	MaxEntries int
	// MaxOfWorld is how many entries one world can hold. 0 means 1,000,000, which is
	// also the largest capacity that a world can declare.
	MaxOfWorld int
	// Vouchers checks the announcements of worlds. If it is nil or has no key, no world
	// is believed.
	Vouchers *Vouchers
	// Registered reports whether a world is in the list. nil treats all as registered.
	Registered func(world Node) bool
}

// EnsureDefaults sets zero fields to their defaults.
func (o *DirectoryOptions) EnsureDefaults() {
	if o.WaitLimit == 0 {
		o.WaitLimit = 3 * time.Second
	}
	if o.MaxWaiting == 0 {
		o.MaxWaiting = 16384
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = 10_000_000
	}
	if o.MaxOfWorld == 0 {
		o.MaxOfWorld = MaxCapacity
	}
}

// DirectoryEffect is a message of the directory to a node. Exactly one of Place and End
// is set.
type DirectoryEffect struct {
	To    Node
	Place *Place
	End   *End
}

// DirectoryStats are the gauges and counters of a Directory, for metrics.
type DirectoryStats struct {
	// Entries counts entries that name a node, Parked requests without an answer yet.
	Entries, Parked int
	// ByNode is the number of keys that each known node holds.
	ByNode map[Node]int
	// Logins counts fresh logins. Ends counts the End messages to nodes. Late counts
	// announcements that a newer one had overtaken. Full counts those without room.
	// Refused counts those that a world may not make. Unvouched counts the refused ones
	// that lack a login server's voucher.
	Logins, Ends, Late, Full, Refused, Unvouched uint64
	// Unknown counts requests that were answered as unknown.
	Unknown uint64
}

// NewDirectory returns an empty Directory.
func NewDirectory(o DirectoryOptions) *Directory {
	o.EnsureDefaults()
	return &Directory{options: o, slots: newSlots(), lives: newLives(), waiting: newWaiting(), ended: newEnded()}
}

// Hello records that an incarnation of a node runs. Entries of an earlier incarnation
// become invalid: a node announces its keys after its Hello.
func (d *Directory) Hello(from Node, incarnation uint64) {
	if d.stranger(from) {
		d.stats.Refused++
		return
	}
	if _, fault := d.lives.of(from, incarnation); fault != nil {
		d.drop(fault)
	}
}

// Announce handles an announcement of a node in that incarnation. It does not keep a.
func (d *Directory) Announce(from Node, incarnation uint64, a *Announcement) {
	if d.stranger(from) && (a.Kind != AnnounceGone || !d.lives.is(from, incarnation)) {
		d.stats.Refused++
		return
	}
	life, fault := d.lives.of(from, incarnation)
	if fault != nil {
		d.drop(fault)
		return
	}
	known := d.find(a.Account)
	if a.Kind == AnnounceGone {
		if known != nil && known.life == life && known.stamp == a.Stamp && known.hop == a.Hop {
			d.remove(known)
		}
		return
	}
	switch d.judge(known, from, a) {
	case verdictTake:
		d.take(known, life, a)
	case verdictLate:
		d.stats.Late++
	case verdictLost:
		d.end(from, a.Account, a.Stamp, whySecondLogin)
	case verdictOnline:
		d.end(from, a.Account, a.Stamp, WhyOnline)
	case verdictRefused:
		d.stats.Refused++
	case verdictUnvouched:
		d.stats.Refused++
		d.stats.Unvouched++
	}
}

// take stores an announcement as the account's place, and answers the waiting requests.
func (d *Directory) take(known *slot, life uint16, a *Announcement) {
	if !d.hasRoom(known, life) {
		d.drop(errNoRoom)
		return
	}
	node := d.lives.node(life)
	if a.Kind == AnnounceFresh {
		d.ended.forget(a.Account)
		if known == nil || known.stamp != a.Stamp {
			d.stats.Logins++
		}
	}
	switch {
	case known == nil:
		known = d.slots.add(a.Account)
	case known.stamp != a.Stamp:
		if known.life != life { // a node ends its own older key itself
			d.end(d.lives.node(known.life), a.Account, known.stamp, whySecondLogin)
		}
		known.ending = false
	}
	if known.ending = known.ending || d.ended.has(a.Account, d.now); known.ending {
		d.end(node, a.Account, a.Stamp, whyEnded)
	}
	d.lives.moved(known.life, life)
	known.stamp, known.hop, known.life = a.Stamp, a.Hop, life
	for _, w := range d.waiting.take(a.Account, func(from Node) bool { return d.mayKnow(from, known) }) {
		d.answer(w, known)
	}
}

// hasRoom reports whether a life may have one more entry, which replaces a known one.
func (d *Directory) hasRoom(known *slot, life uint16) bool {
	if known == nil && d.slots.len() >= d.options.MaxEntries {
		return false
	}
	return known != nil && known.life == life ||
		d.lives.all[life].entries < d.options.MaxOfWorld || d.lives.node(life).Kind() != KindWorld
}

// Locate answers where an account's key is. If the key is unknown and l has Wait, the
// answer follows when the key is announced or the limit is over. A repeated request
// replaces the earlier one. If the key's holder has just restarted, the request waits
// in any case, because the holder may announce the key soon. A world that is not
// registered gets no answer. Locate does not keep l.
func (d *Directory) Locate(from Node, l *Locate, now int64) {
	if d.stranger(from) {
		d.stats.Refused++
		return
	}
	w := waiter{account: l.Account, from: from, tag: l.Tag, until: now + d.options.WaitLimit.Milliseconds()}
	d.clock(now)
	known := d.slots.find(l.Account)
	wait := l.Wait || now < d.grown
	if known != nil && d.lives.ended(known.life) {
		wait = wait || d.lives.all[known.life].renewed
		known = nil
	}
	if known != nil && !d.mayKnow(from, known) {
		known = nil
	}
	if known == nil && wait && d.waiting.park(w, d.options.MaxWaiting) {
		return
	}
	d.answer(w, known)
}

// answer sends an account's place to w; nil means unknown.
func (d *Directory) answer(w waiter, known *slot) {
	place := &Place{Account: w.account, Tag: w.tag}
	if known != nil && d.mayKnow(w.from, known) {
		place.Holder, place.Stamp, place.Hop = d.lives.node(known.life), known.stamp, known.hop
	} else {
		d.stats.Unknown++
	}
	d.effects = append(d.effects, DirectoryEffect{To: w.from, Place: place})
}

// End ends an account at whichever node holds it. It ends a key in transit at the node
// where it arrives. It also ends a key that a node announces within the next half
// minute. Only a fresh login is not affected.
func (d *Directory) End(e *AccountEnd) {
	d.ended.add(e.Account, d.now)
	if known := d.find(e.Account); known != nil {
		known.ending = true
		d.end(d.lives.node(known.life), e.Account, 0, e.Why)
	}
}

// end sends End for a key to a node.
func (d *Directory) end(to Node, account codec.Name, stamp Stamp, why string) {
	d.stats.Ends++
	d.effects = append(d.effects, DirectoryEffect{To: to, End: &End{Account: account, Stamp: stamp, Why: why}})
}

// NodeGone removes the entries of a node that is no longer heard. The node announces
// its keys again when it is back.
func (d *Directory) NodeGone(node Node) { d.lives.gone(node) }

// Tick answers requests whose wait is over, and sweeps some entries of ended lives.
func (d *Directory) Tick(now int64) {
	d.clock(now)
	for _, w := range d.waiting.expired(now) {
		d.answer(w, nil)
	}
	switch {
	case d.lives.left == 0:
		// Restarted nodes may still announce these keys, so the sweep waits.
		d.swept = now + d.options.WaitLimit.Milliseconds()
	case now >= d.swept:
		d.slots.sweep(func(s *slot) {
			if d.lives.ended(s.life) {
				d.remove(s)
			}
		})
	}
}

// clock records the time, and the time of the first call.
func (d *Directory) clock(now int64) {
	d.now = now
	if d.grown == 0 {
		d.grown = now + d.options.WaitLimit.Milliseconds()
	}
}

// Find returns where an account's key is, for operators.
func (d *Directory) Find(account codec.Name) (Place, bool) {
	known := d.find(account)
	if known == nil {
		return Place{}, false
	}
	return Place{Account: account, Holder: d.lives.node(known.life), Stamp: known.stamp, Hop: known.hop}, true
}

// find returns an account's entry, or nil. It removes an entry of an ended life.
func (d *Directory) find(account codec.Name) *slot {
	s := d.slots.find(account)
	if s != nil && d.lives.ended(s.life) {
		d.remove(s)
		return nil
	}
	return s
}

func (d *Directory) remove(s *slot) {
	d.lives.moved(s.life, noLife)
	d.slots.remove(s)
}

// drop counts an announcement that is dropped.
func (d *Directory) drop(fault error) {
	if fault == errLate {
		d.stats.Late++
	} else {
		d.stats.Full++
	}
}

// Effects returns the messages for nodes since the last call, in order. The caller owns
// the slice.
func (d *Directory) Effects() []DirectoryEffect {
	e := d.effects
	d.effects = nil
	return e
}

// Unvouched returns Stats().Unvouched. It is cheap enough to call for every message.
func (d *Directory) Unvouched() uint64 { return d.stats.Unvouched }

// Stats returns the counts so far. It iterates over all nodes: call it for a metrics
// scrape, not for every message.
func (d *Directory) Stats() DirectoryStats {
	s := d.stats
	s.Entries, s.Parked, s.ByNode = d.slots.len()-d.lives.left, d.waiting.len(), d.lives.byNode()
	return s
}
