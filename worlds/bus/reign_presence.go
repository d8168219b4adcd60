package bus

import (
	"sync"

	"gatepass/worlds"
)

// presence is when each node was last heard, whatever it said, so that the keys of
// those that are gone are forgotten. A world that leaves the list may still hold
// its players' keys for hours; a node that holds keys says something all the time.
type presence struct {
	mu    sync.Mutex
	nodes map[worlds.Node]present // guarded by mu
}

// present is a node; at is in milliseconds of the reign.
type present struct {
	at int64
	// doubted: the list has missed its heartbeats, or was emptied.
	doubted bool
}

func newPresence() *presence { return &presence{nodes: make(map[worlds.Node]present)} }

// hear notes a message.
func (p *presence) hear(node worlds.Node, now int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	n, known := p.nodes[node]
	if known || len(p.nodes) < maxSenders {
		n.at = now
		p.nodes[node] = n
	}
}

// doubt makes a node that is silent be gone soon.
func (p *presence) doubt(node worlds.Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, known := p.nodes[node]; known {
		n.doubted = true
		p.nodes[node] = n
	}
}

// silent removes the nodes that were not heard for long, or for as long as soon
// if they are doubted.
func (p *presence) silent(now, soon, long int64) (gone []worlds.Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for node, n := range p.nodes {
		if silence := now - n.at; silence >= long || n.doubted && silence >= soon {
			gone = append(gone, node)
			delete(p.nodes, node)
		}
	}
	return gone
}
