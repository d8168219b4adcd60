package worlds

import (
	"time"

	"gatepass/codec"
)

// Directory knows at which node each account's key is, so that a gate can ask
// one place instead of all. It is soft state: the nodes announce every key that
// comes or goes, and all of theirs when a new manager leads, so nothing of it is
// stored. It belongs to one goroutine, which tells what Effects returns. Times are
// milliseconds of one clock that never goes back.
//
// Announcements may come late, twice or not at all, so two of them can speak of
// the same account. Of one login (the same Stamp) the greater Hop is the newer
// place. Of two logins one stays: a fresh login wins, else the greater Stamp; who
// holds the other one's key is told to end it, so that what the bus has lost is
// mended by the next announcement. An entry never goes to a node that did not
// announce it.
//
// A client that is in a world may pick another one at its login server, which then
// has a newer key of it. That is a login like any other (its word is good against
// smaller stamps), but no second one: SecondLoginRefuse does not keep it out. Nor
// has it shown a password again, so that an End which it meets still holds.
//
// Login servers are trusted with that. A world is believed only what a login server
// vouches for: that this very stay of the key, by stamp and hop, was handed over to it
// (Voucher). So it can make up no login, and no place in the order of one; what it
// says without a voucher changes nothing and is not answered. It says nothing at all
// while it is not registered, but for the end of what it was known to hold. And it is
// told of no other world's players: for those it asks as for accounts that nobody has.
//
// An entry is 32 bytes in a slot, and its place in the index; the node is a
// number. A node that starts anew or is gone loses its entries at once, since
// they name its life and not the node, but the slots are swept bit by bit.
type Directory struct {
	options DirectoryOptions
	slots   slots
	lives   lives
	waiting waiting
	// grown is when it has been told all there is to tell, 0 before the first
	// Locate or Tick.
	grown int64
	// now is the time of the last Locate or Tick.
	now   int64
	ended ended
	// swept is when what is left of lives that are over may be swept at last.
	swept   int64
	effects []DirectoryEffect
	stats   DirectoryStats
}

// SecondLogin is the operator's rule for a login to an account that is in.
type SecondLogin uint8

const (
	// SecondLoginReplace: the newer login ends the older.
	SecondLoginReplace SecondLogin = iota
	// SecondLoginRefuse: an older one that is in a world stays, and the newer is
	// ended. One that is at a login server still is ended all the same.
	SecondLoginRefuse
)

// What an End says for the log.
const (
	whySecondLogin = "second login"
	// WhyOnline: the account is in, and the rule is that the newer login goes.
	WhyOnline = "already online"
	whyEnded  = "ended while it moved"
)

// DirectoryOptions configure a Directory.
type DirectoryOptions struct {
	SecondLogin SecondLogin
	// WaitLimit is how long a Locate with Wait stays unanswered; 0 is 3 s. For as
	// long after its first call a new directory, which has yet to be told what its
	// predecessor knew, takes every Locate for one with Wait.
	WaitLimit time.Duration
	// MaxWaiting is how many may wait at once; one more is answered at once that
	// nothing is known. 0 is 16,384.
	MaxWaiting int
	// MaxEntries is how many accounts may be known; one more is not taken in.
	// 0 is 10,000,000.
	MaxEntries int
	// MaxOfWorld is how many of them one world may hold; 0 is 1,000,000, the most
	// players that a world may say it takes.
	MaxOfWorld int
	// Vouchers checks what worlds announce; without a key, or where it is nil, no world
	// is believed.
	Vouchers *Vouchers
	// Registered tells whether a world is in the list; nil takes all for registered.
	Registered func(world Node) bool
}

// EnsureDefaults fills in what is 0.
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

// DirectoryEffect is what the directory has to tell a node: exactly one of Place
// and End is set.
type DirectoryEffect struct {
	To    Node
	Place *Place
	End   *End
}

// DirectoryStats count what a Directory has and has seen, for metrics.
type DirectoryStats struct {
	// Entries that name a node, Parked asks without an answer yet.
	Entries, Parked int
	// ByNode is how many keys each known node holds.
	ByNode map[Node]int
	// Logins are fresh ones, Ends what nodes were told to end, Late announcements
	// that others had overtaken, Full those for which there was no room, Refused
	// those that a world may not make, Unvouched those of them that no login server
	// vouches for.
	Logins, Ends, Late, Full, Refused, Unvouched uint64
	// Unknown are asks that were answered so.
	Unknown uint64
}

// NewDirectory makes one that knows nothing.
func NewDirectory(o DirectoryOptions) *Directory {
	o.EnsureDefaults()
	return &Directory{options: o, slots: newSlots(), lives: newLives(), waiting: newWaiting(), ended: newEnded()}
}

// Hello notes that an incarnation of a node is there. What was known of an earlier
// one is out of date: who holds keys announces them after its hello.
func (d *Directory) Hello(from Node, incarnation uint64) {
	if d.stranger(from) {
		d.stats.Refused++
		return
	}
	if _, fault := d.lives.of(from, incarnation); fault != nil {
		d.drop(fault)
	}
}

// Announce takes what a node says of a key, in that incarnation of the node. a is
// not kept.
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

// take makes an announcement the account's place, and answers who waits for it.
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
		if known.life != life { // a node ends its own older key by itself
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

// hasRoom tells whether a life may have one entry more, in place of a known one.
func (d *Directory) hasRoom(known *slot, life uint16) bool {
	if known == nil && d.slots.len() >= d.options.MaxEntries {
		return false
	}
	return known != nil && known.life == life ||
		d.lives.all[life].entries < d.options.MaxOfWorld || d.lives.node(life).Kind() != KindWorld
}

// Locate answers where an account's key is, at once or, when it is not known and
// l wants to wait, when it is announced or the limit is over. The same ask again
// takes the place of the one before. An account whose holder has just begun anew
// is waited for in any case, for the holder may be about to announce it. A world that
// is not registered gets no answer. l is not kept.
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

// answer tells w an account's place; nil for none.
func (d *Directory) answer(w waiter, known *slot) {
	place := &Place{Account: w.account, Tag: w.tag}
	if known != nil && d.mayKnow(w.from, known) {
		place.Holder, place.Stamp, place.Hop = d.lives.node(known.life), known.stamp, known.hop
	} else {
		d.stats.Unknown++
	}
	d.effects = append(d.effects, DirectoryEffect{To: w.from, Place: place})
}

// End ends an account wherever it is. A key that is on its way just then is ended
// where it arrives, and one that nobody has told of yet when somebody does within
// half a minute; only a fresh login is another matter.
func (d *Directory) End(e *AccountEnd) {
	d.ended.add(e.Account, d.now)
	if known := d.find(e.Account); known != nil {
		known.ending = true
		d.end(d.lives.node(known.life), e.Account, 0, e.Why)
	}
}

// end tells a node to end a key.
func (d *Directory) end(to Node, account codec.Name, stamp Stamp, why string) {
	d.stats.Ends++
	d.effects = append(d.effects, DirectoryEffect{To: to, End: &End{Account: account, Stamp: stamp, Why: why}})
}

// NodeGone forgets where a node is concerned: it is not heard any more. What it
// holds it will announce when it is back.
func (d *Directory) NodeGone(node Node) { d.lives.gone(node) }

// Tick answers whose wait is over, and sweeps some of what is left of lives that
// have ended.
func (d *Directory) Tick(now int64) {
	d.clock(now)
	for _, w := range d.waiting.expired(now) {
		d.answer(w, nil)
	}
	switch {
	case d.lives.left == 0:
		// What renewed nodes are about to announce is not swept before.
		d.swept = now + d.options.WaitLimit.Milliseconds()
	case now >= d.swept:
		d.slots.sweep(func(s *slot) {
			if d.lives.ended(s.life) {
				d.remove(s)
			}
		})
	}
}

// clock notes the time, and when the directory began.
func (d *Directory) clock(now int64) {
	d.now = now
	if d.grown == 0 {
		d.grown = now + d.options.WaitLimit.Milliseconds()
	}
}

// Find is where an account's key is, for operators.
func (d *Directory) Find(account codec.Name) (Place, bool) {
	known := d.find(account)
	if known == nil {
		return Place{}, false
	}
	return Place{Account: account, Holder: d.lives.node(known.life), Stamp: known.stamp, Hop: known.hop}, true
}

// find is an account's entry, or nil. One of a life that has ended is removed.
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

// drop counts an announcement that is not taken.
func (d *Directory) drop(fault error) {
	if fault == errLate {
		d.stats.Late++
	} else {
		d.stats.Full++
	}
}

// Effects are what nodes must be told since the last call, in order. They are the
// caller's.
func (d *Directory) Effects() []DirectoryEffect {
	e := d.effects
	d.effects = nil
	return e
}

// Unvouched is that of the Stats, for every message.
func (d *Directory) Unvouched() uint64 { return d.stats.Unvouched }

// Stats are the counts so far. It walks over the nodes, so call it for a scrape
// and not for a message.
func (d *Directory) Stats() DirectoryStats {
	s := d.stats
	s.Entries, s.Parked, s.ByNode = d.slots.len()-d.lives.left, d.waiting.len(), d.lives.byNode()
	return s
}
