package storage

import (
	"context"
	"sync"
	"time"
)

// clientTag marks the requests of a Client. Whoever shares a store with one uses
// tags in which this bit is clear.
const clientTag = 1 << 63

// roomEvery is how often a Client asks again whether a full queue has room.
const roomEvery = time.Millisecond

// Client asks a store and waits for the answer, for tools that have nothing else
// to do meanwhile. It may share its store with one other user: results of tags
// without the top bit go on to that one. All methods may be called from any
// goroutine but the store's own.
type Client struct {
	store  Store
	next   func([]Result)
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	calls map[uint32]*call // under way, also if their caller has given up
	last  uint32           // number of the last call; 31 bits
}

// call is one Do under way.
type call struct {
	results  []Result      // with the callers' tags from the start
	answered int           // how many of them are there
	wanted   int           // how many will come. Invariant: answered ≤ wanted
	done     chan struct{} // closed when all have come
}

// OpenClient opens a store and a Client to it. If o.Deliver is set, the results of
// requests submitted to Store go there.
func OpenClient(e Engine, o OpenOptions) (*Client, error) {
	return NewClient(o.Deliver, func(deliver func([]Result)) (Store, error) {
		o.Deliver = deliver
		return e.Open(o)
	})
}

// NewClient makes a Client to the store that open opens; open must see to it
// that all results go to deliver. Those that are not the Client's go on to next,
// which may be nil.
func NewClient(next func([]Result), open func(deliver func([]Result)) (Store, error)) (*Client, error) {
	c := &Client{next: next, calls: make(map[uint32]*call), closed: make(chan struct{})}
	store, err := open(c.deliver)
	if err != nil {
		return nil, err
	}
	c.store = store
	return c, nil
}

// Store is the store behind the Client. Do not close it; close the Client.
func (c *Client) Store() Store { return c.store }

// Close closes the store. Calls of Do that still want to submit get ErrClosed.
func (c *Client) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.store.Close()
}

// Do submits requests and waits for all results, which come in the order of the
// requests, with the callers' tags. Each has an error of its own; the error of Do
// is ErrClosed or that of ctx, and means that some or all of the requests may
// not have been done. While the store has no room, Do waits.
func (c *Client) Do(ctx context.Context, ops ...Op) ([]Result, error) {
	if len(ops) == 0 {
		return nil, nil
	}
	cl := &call{results: make([]Result, len(ops)), wanted: len(ops), done: make(chan struct{})}
	id := c.register(cl)
	if taken, err := c.submit(ctx, cl.tag(ops, id)); err != nil {
		c.abandon(id, cl, taken)
		return nil, err
	}
	select {
	case <-cl.done:
		return cl.results, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (c *Client) register(cl *call) uint32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	for {
		c.last = (c.last + 1) &^ (1 << 31)
		if c.calls[c.last] == nil {
			c.calls[c.last] = cl
			return c.last
		}
	}
}

// tag copies the requests under tags of their own and keeps the callers' tags.
func (cl *call) tag(ops []Op, id uint32) []Op {
	tagged := make([]Op, len(ops))
	for i, op := range ops {
		cl.results[i].Tag = op.Tag
		op.Tag = clientTag | uint64(id)<<32 | uint64(i)
		tagged[i] = op
	}
	return tagged
}

// submit gets all requests into the store, or reports how many it got in.
func (c *Client) submit(ctx context.Context, ops []Op) (taken int, err error) {
	for {
		taken += c.store.Submit(ops[taken:])
		if taken == len(ops) {
			return taken, nil
		}
		select {
		case <-time.After(roomEvery):
		case <-ctx.Done():
			return taken, ctx.Err()
		case <-c.closed:
			return taken, ErrClosed
		}
	}
}

// abandon makes a call end with the requests that were taken.
func (c *Client) abandon(id uint32, cl *call, taken int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cl.wanted = taken
	c.maybeDoneLocked(id, cl)
}

// deliver sorts results. On the store's goroutines.
func (c *Client) deliver(results []Result) {
	others := results[:0] // the slice is lent, and may be changed
	for i := range results {
		if results[i].Tag&clientTag == 0 {
			others = append(others, results[i])
		} else {
			c.take(results[i])
		}
	}
	if len(others) > 0 && c.next != nil {
		c.next(others)
	}
}

// take puts a result in its place.
func (c *Client) take(r Result) {
	c.mu.Lock()
	defer c.mu.Unlock()
	id, i := uint32(r.Tag>>32)&^(1<<31), uint32(r.Tag)
	cl := c.calls[id]
	r.Tag = cl.results[i].Tag
	cl.results[i] = r
	cl.answered++
	c.maybeDoneLocked(id, cl)
}

func (c *Client) maybeDoneLocked(id uint32, cl *call) {
	if cl.answered == cl.wanted {
		delete(c.calls, id)
		close(cl.done)
	}
}
