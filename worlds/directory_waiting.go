package worlds

import (
	"container/list"
	"slices"

	"gatepass/codec"
)

const (
	// maxAsks is how many requests can wait for one account.
	maxAsks = 16
	// maxAsksOfNode is how many requests of one node can wait, so that a node that asks
	// without end does not use all the room. It is four times what a gate asks at once.
	maxAsksOfNode = 4096
)

// waiter is a request that waits until an account is announced.
type waiter struct {
	account codec.Name
	from    Node
	tag     uint64
	until   int64
}

// waiting holds the requests without an answer. All wait equally long, so they expire
// in the order in which they arrive.
type waiting struct {
	order *list.List // of waiter
	asks  map[codec.Name][]*list.Element
	// byNode counts the waiting requests of each node.
	byNode map[Node]int
}

func newWaiting() waiting {
	return waiting{order: list.New(), asks: make(map[codec.Name][]*list.Element), byNode: make(map[Node]int)}
}

func (q *waiting) len() int { return q.order.Len() }

// park adds w, which replaces an equal request. It returns false if there is no room.
func (q *waiting) park(w waiter, most int) bool {
	for _, e := range q.asks[w.account] {
		if o := e.Value.(waiter); o.from == w.from && o.tag == w.tag {
			q.drop(e)
			break
		}
	}
	asks := q.asks[w.account]
	if q.order.Len() >= most || len(asks) >= maxAsks || q.byNode[w.from] >= maxAsksOfNode {
		return false
	}
	q.byNode[w.from]++
	q.asks[w.account] = append(asks, q.order.PushBack(w))
	return true
}

// take removes all requests that wait for an account and may learn its place.
func (q *waiting) take(account codec.Name, may func(from Node) bool) (all []waiter) {
	asks := q.asks[account]
	if asks == nil {
		return nil
	}
	var left []*list.Element
	for _, e := range asks {
		if may(e.Value.(waiter).from) {
			all = append(all, q.remove(e))
		} else {
			left = append(left, e)
		}
	}
	if q.asks[account] = left; left == nil {
		delete(q.asks, account)
	}
	return all
}

// expired removes all requests whose wait is over.
func (q *waiting) expired(now int64) (all []waiter) {
	for e := q.order.Front(); e != nil && e.Value.(waiter).until <= now; e = q.order.Front() {
		all = append(all, e.Value.(waiter))
		q.drop(e)
	}
	return all
}

// remove removes a request from the order, but not from its account's requests.
func (q *waiting) remove(e *list.Element) waiter {
	w := q.order.Remove(e).(waiter)
	if q.byNode[w.from]--; q.byNode[w.from] == 0 {
		delete(q.byNode, w.from)
	}
	return w
}

// drop removes a request completely.
func (q *waiting) drop(e *list.Element) {
	w := q.remove(e)
	asks := q.asks[w.account]
	i := slices.Index(asks, e)
	if asks = slices.Delete(asks, i, i+1); len(asks) == 0 {
		delete(q.asks, w.account)
	} else {
		q.asks[w.account] = asks
	}
}
