package gate

import "gatepass/codec"

// Class is a waiting player's priority, 0 … MaxClass. A higher class is admitted
// earlier.
type Class uint8

// MaxClass is the highest class. A higher value counts as MaxClass.
const MaxClass Class = 3

// classWeights is the share of free places for each class while all classes wait. No
// class starves: with every class waiting, one admission in 85 is of the lowest class;
// with two neighbouring classes, one in 5 is of the lower.
var classWeights = [MaxClass + 1]int64{1, 4, 16, 64}

// classStride divided by its weight is the cost of one admission for a class.
const classStride = 64

// waiter is one account's place in the queue.
type waiter struct {
	account codec.Name
	class   Class
	// native: the waiting client uses the native protocol. It applies while the player
	// is present.
	native bool
	// origin is where the pass of an absent native player came from.
	origin *origin
	// conn is the waiting connection, or 0 while the player is absent.
	conn codec.Conn
	// until is when the place of an absent player expires, in milliseconds.
	until int64
	// since is when the account joined, in milliseconds.
	since int64
	// armed is the tick of the wheel entry that checks this place, or 0.
	armed int64
	// shown is the last position that the client received.
	shown uint32
	// position is the position at the last count.
	position uint32

	prev, next *waiter // of the same class
}

// line is the wait queue. Within a class it is first come, first served. Between
// classes the free places are shared by weight.
//
// The shares use strides. Every class has a clock, and an admission advances it by
// classStride divided by the class's weight. The class with the lowest clock is next;
// if two are equal, the higher class is next. No clock stays behind that of the class
// served last, so a class cannot save up shares while it is empty. Rejected: strict
// order of classes, which starves the lower ones; ageing priorities, which give no
// position to show.
//
// The place of an absent player stays in the queue, and admissions skip it.
type line struct {
	classes [MaxClass + 1]classLine
	places  map[codec.Name]*waiter
	clock   int64 // of the class served last
	present int   // places whose player is present
}

type classLine struct {
	first, last *waiter
	size        int // places
	present     int // places whose player is present
	clock       int64
}

func newLine() line { return line{places: make(map[codec.Name]*waiter)} }

// len returns the number of places, those of absent players included.
func (l *line) len() int { return len(l.places) }

// find returns an account's place, or nil.
func (l *line) find(account codec.Name) *waiter { return l.places[account] }

// join adds an account at the end of its class. It must not be in the queue yet.
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

// leave removes a place from the queue.
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

// away keeps a place until the given time. Its player's connection is closed.
func (l *line) away(w *waiter, until int64) {
	if w.conn != 0 {
		l.count(w, -1)
	}
	w.conn, w.until = 0, until
}

// back gives a place to a new connection of its player.
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

// take removes and returns the next present player, or nil if nobody is present.
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

// catchUp advances each clock at least to that of the class served last.
func (l *line) catchUp() {
	for i := range l.classes {
		l.classes[i].clock = max(l.classes[i].clock, l.clock)
	}
}

// pick returns the next class to serve among those for which has is true, or -1.
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

// countPositions sets the position of every place. Position 1 is the next admission, if
// all players were present and nobody else joined. It calls seen in order of position.
// The queue must not change during the call.
func (l *line) countPositions(seen func(w *waiter)) {
	l.catchUp()
	rest := l.classes // advances during the count; the queue's own clocks do not
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

// lastPosition returns the position of the last place of a class without a walk. It
// computes from the clocks how many places of other classes come first.
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
		before := (turn - other.clock + strideOf(i) - 1) / strideOf(i) // with a lower clock
		if Class(i) > class && (turn-other.clock)%strideOf(i) == 0 {
			before++ // equal clocks: the higher class is first
		}
		n += min(before, int64(other.size))
	}
	return uint32(n)
}
