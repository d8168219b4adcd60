package gate

import "gatepass/codec"

// Class is how early a player who has to wait gets in, 0 … MaxClass: higher is
// earlier.
type Class uint8

// MaxClass is the highest class; a higher one counts as it.
const MaxClass Class = 3

// classWeights is how many get in of each class while all of them wait: the
// shares of what is free. Nobody is starved: with every class waiting, one in 85
// is of the lowest, with two neighbours one in 5.
var classWeights = [MaxClass + 1]int64{1, 4, 16, 64}

// classStride is what one admission costs a class: the same for all, divided by
// the weight.
const classStride = 64

// waiter is one account's place in the line.
type waiter struct {
	account codec.Name
	class   Class
	// native says that it speaks the native protocol, while the player is there.
	native bool
	// origin is where the pass of a native player came from who is away.
	origin *origin
	// conn is the connection that waits, 0 while the player is away.
	conn codec.Conn
	// until is when the place is lost, in milliseconds, while the player is away.
	until int64
	// since is when it joined, in milliseconds.
	since int64
	// armed is the tick of the wheel entry that will look at this place, or 0.
	armed int64
	// shown is the position that the client was told last.
	shown uint32
	// position is where it stood when the line was counted last.
	position uint32

	prev, next *waiter // of its class
}

// line is the wait line: first come, first served within a class; between
// classes the free places are shared by weight.
//
// The shares are made by strides: every class has a clock that an admission
// moves on by classStride over its weight, and the class whose clock is furthest
// behind is next, the higher where two are level. No clock stays behind the one
// of the class that was served last: a class can not save up while nobody of it
// is there. Rejected: strict order of classes, which starves; an ageing priority,
// for which nobody could be told a position.
//
// A place whose player is away stays where it is; next passes over it.
type line struct {
	classes [MaxClass + 1]classLine
	places  map[codec.Name]*waiter
	clock   int64 // of the class that was served last
	present int   // places whose player is there
}

type classLine struct {
	first, last *waiter
	size        int // places
	present     int // of which the player is there
	clock       int64
}

func newLine() line { return line{places: make(map[codec.Name]*waiter)} }

// len is how many places are taken, those of players who are away included.
func (l *line) len() int { return len(l.places) }

// find is an account's place, or nil.
func (l *line) find(account codec.Name) *waiter { return l.places[account] }

// join puts an account at the end of its class. It must not be in the line.
func (l *line) join(account codec.Name, class Class, conn codec.Conn) *waiter {
	if l.places[account] != nil {
		panic("gate: joined the line twice")
	}
	w := &waiter{account: account, class: min(class, MaxClass), conn: conn}
	q := &l.classes[w.class]
	if q.first == nil {
		q.first = w
	} else {
		w.prev, q.last.next = q.last, w
	}
	q.last = w
	q.size++
	l.places[account] = w
	l.count(w, +1)
	w.position = l.lastPosition(w.class)
	return w
}

// leave takes a place out of the line.
func (l *line) leave(w *waiter) {
	q := &l.classes[w.class]
	if w.prev == nil {
		q.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		q.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next = nil, nil
	q.size--
	delete(l.places, w.account)
	if w.conn != 0 {
		l.count(w, -1)
	}
}

// away keeps the place of a player whose connection is gone until a time.
func (l *line) away(w *waiter, until int64) {
	if w.conn != 0 {
		l.count(w, -1)
	}
	w.conn, w.until = 0, until
}

// back gives a place to a connection: its player has come back, or comes by
// another one.
func (l *line) back(w *waiter, conn codec.Conn) {
	if w.conn == 0 {
		l.count(w, +1)
	}
	w.conn, w.until, w.shown, w.origin = conn, 0, 0, nil
}

func (l *line) count(w *waiter, n int) {
	l.present += n
	l.classes[w.class].present += n
}

// take takes out whoever is next of those who are there, or nil when nobody is.
func (l *line) take() *waiter {
	l.catchUp()
	class := pick(&l.classes, func(c *classLine) bool { return c.present > 0 })
	if class < 0 {
		return nil
	}
	q := &l.classes[class]
	w := q.first
	for w.conn == 0 {
		w = w.next
	}
	l.clock = q.clock
	q.clock += strideOf(class)
	l.leave(w)
	return w
}

// catchUp lets no class be behind the one that was served last.
func (l *line) catchUp() {
	for i := range l.classes {
		l.classes[i].clock = max(l.classes[i].clock, l.clock)
	}
}

// pick is the class that is served next of those that have somebody, or -1.
func pick(classes *[MaxClass + 1]classLine, has func(*classLine) bool) int {
	best := -1
	for i := int(MaxClass); i >= 0; i-- {
		if c := &classes[i]; has(c) && (best < 0 || c.clock < classes[best].clock) {
			best = i
		}
	}
	return best
}

func strideOf[C int | Class](class C) int64 { return classStride / classWeights[class] }

// countPositions tells every place its position: 1 for whoever gets in next if
// all were there and nobody came any more. It calls seen in that order; the line
// must not change meanwhile.
func (l *line) countPositions(seen func(w *waiter)) {
	l.catchUp()
	rest := l.classes // moves on while it is counted; the line does not
	for n := uint32(1); ; n++ {
		class := pick(&rest, func(c *classLine) bool { return c.first != nil })
		if class < 0 {
			return
		}
		q := &rest[class]
		w := q.first
		q.first = w.next
		q.clock += strideOf(class)
		w.position = n
		seen(w)
	}
}

// lastPosition is the position of the last of a class, without a walk: the
// others who are served until its turn are counted by the clocks.
func (l *line) lastPosition(class Class) uint32 {
	l.catchUp()
	q := &l.classes[class]
	turn := q.clock + int64(q.size-1)*strideOf(class)
	n := int64(q.size)
	for i := range l.classes {
		other := &l.classes[i]
		if Class(i) == class || other.clock > turn {
			continue
		}
		before := (turn - other.clock + strideOf(i) - 1) / strideOf(i) // with a turn below it
		if Class(i) > class && (turn-other.clock)%strideOf(i) == 0 {
			before++ // level: the higher goes first
		}
		n += min(before, int64(other.size))
	}
	return uint32(n)
}
