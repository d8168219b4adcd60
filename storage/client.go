package storage

import (
	"context"
	"sync"
	"time"
)

// clientTag marks the requests of a Client. The other user of a shared store uses tags
// in which this bit is clear.
const clientTag = 1 << 63

// roomEvery is how often a Client retries to submit to a full queue.
const roomEvery = time.Millisecond

// Client submits requests to a store and waits for the results. It may share its store
// with one other user, who gets the results of tags without the top bit. All methods may
// be called from any goroutine except those of the store.
type Client struct {
	store  Store
	next   func([]Result)
	closed chan struct{}
	once   sync.Once

	mu    sync.Mutex
	calls map[uint32]*call // in progress, also if their caller has given up
	last  uint32           // number of the last call; 31 bits
}

// call is one Do in progress.
type call struct {
	results  []Result      // with the callers' tags from the start
	answered int           // how many have arrived
	wanted   int           // how many will arrive. Invariant: answered ≤ wanted
	done     chan struct{} // closed when all have arrived
}

// OpenClient opens a store and a Client to it. If o.Deliver is set, the results of
// requests submitted to Store go there.
func OpenClient(e Engine, o OpenOptions) (*Client, error) {
	return NewClient(o.Deliver, func(deliver func([]Result)) (Store, error) {
		o.Deliver = deliver
		return e.Open(o)
	})
}

// NewClient returns a Client to the store that open opens. open must pass deliver to the
// store, so that all results go there. Results that are not the Client's are passed to
// next, which may be nil.
func NewClient(next func([]Result), open func(deliver func([]Result)) (Store, error)) (*Client, error) {
	c := &Client{next: next, calls: make(map[uint32]*call), closed: make(chan struct{})}
	store, err := open(c.deliver)
	if err != nil {
		return nil, err
	}
	c.store = store
	return c, nil
}

// Store returns the Client's store. Close the Client instead of the store.
func (c *Client) Store() Store { return c.store }

// Close closes the store. Calls of Do that have not submitted all requests get
// ErrClosed.
func (c *Client) Close() error {
	c.once.Do(func() { close(c.closed) })
	return c.store.Close()
}

// Do submits requests and returns their results in the order of the requests, with the
// callers' tags. Each result has an error of its own. The error of Do is ErrClosed or
// that of ctx; some or all of the requests may then not have been done. Do waits while
// the store's queue is full.
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

// tag returns copies of the requests with tags of the Client and keeps the callers' tags.
func (cl *call) tag(ops []Op, id uint32) []Op {
	tagged := make([]Op, len(ops))
	for i, op := range ops {
		cl.results[i].Tag = op.Tag
		op.Tag = clientTag | uint64(id)<<32 | uint64(i)
		tagged[i] = op
	}
	return tagged
}

// submit submits all requests, or reports how many the store took.
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

// abandon lets a call end with the requests that were taken.
func (c *Client) abandon(id uint32, cl *call, taken int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	cl.wanted = taken
	c.maybeDoneLocked(id, cl)
}

// deliver passes each result to its call or to the other user. It is called on the
// store's goroutines.
func (c *Client) deliver(results []Result) {
	others := results[:0] // the slice may be changed until deliver returns
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

// take stores a result in its call.
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
