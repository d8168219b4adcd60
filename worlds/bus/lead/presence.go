package lead

import (
	"sync"

	"gatepass/worlds"
)

// presence notes when each node sent its last message of any kind, so that the directory
// can forget the keys of nodes that are gone. The list of worlds is not enough for that: a
// world that has left the list may hold its players' keys for hours. A node that holds keys
// sends hellos.
type presence struct {
	mu    sync.Mutex
	nodes map[worlds.Node]present // guarded by mu
}

// present is the state of a node.
type present struct {
	at int64 // when it was heard last, in milliseconds of the term
	// doubted: it has missed heartbeats, or the list was emptied.
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

// doubt shortens the silence after which a node is gone.
func (p *presence) doubt(node worlds.Node) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n, known := p.nodes[node]; known {
		n.doubted = true
		p.nodes[node] = n
	}
}

// silent removes and returns the nodes that were not heard for long, or, if they are
// doubted, for soon. Both are in milliseconds.
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
