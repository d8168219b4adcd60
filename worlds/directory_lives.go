package worlds

import (
	"errors"
	"math"
	"slices"
	"strings"
)

const (
	// noLife is the number that names no life.
	noLife = 0
	// maxNodes is how many nodes can hold keys.
	maxNodes = 4096
	// maxFormer is how many earlier incarnations of a node are remembered.
	maxFormer = 4
)

// Reasons to drop an announcement.
var (
	errLate   = errors.New("worlds: that incarnation of the node is over")
	errNoRoom = errors.New("worlds: no room for more")
)

// life is one incarnation of a node. It is kept as long as entries name it.
type life struct {
	node        Node
	incarnation uint64
	// over: the node is gone or has restarted. The life's number is free when entries
	// is 0. entries counts the entries that name this life.
	over bool
	// renewed: the life is over because a new life of the node has begun.
	renewed bool
	entries int
}

// nodeLives is the state of a node.
type nodeLives struct {
	current uint16
	// former are the node's last earlier incarnations. Messages from them are late.
	former []uint64
}

// lives numbers the incarnations of nodes, so that an entry names one in two bytes.
type lives struct {
	all   []life // by number
	free  []uint16
	nodes map[Node]*nodeLives
	// left counts the entries that name lives that are over.
	left int
}

func newLives() lives { return lives{all: make([]life, 1), nodes: make(map[Node]*nodeLives)} }

// of returns the number of a node's life. It adds the life on the first message.
func (l *lives) of(node Node, incarnation uint64) (uint16, error) {
	n := l.nodes[node]
	switch {
	case n != nil && l.all[n.current].incarnation == incarnation:
		return n.current, nil
	case n != nil && slices.Contains(n.former, incarnation):
		return noLife, errLate
	case n == nil && len(l.nodes) == maxNodes || len(l.free) == 0 && len(l.all) > math.MaxUint16:
		return noLife, errNoRoom
	}
	if n == nil {
		node = Node(strings.Clone(string(node))) // it may alias a message
		n = &nodeLives{}
		l.nodes[node] = n
	} else {
		node = l.all[n.current].node
		n.former = append(n.former, l.all[n.current].incarnation)
		n.former = n.former[max(0, len(n.former)-maxFormer):]
		l.all[n.current].renewed = true
		l.finish(n.current)
	}
	n.current = l.begin(life{node: node, incarnation: incarnation})
	return n.current, nil
}

// is reports whether the node is known with that incarnation.
func (l *lives) is(node Node, incarnation uint64) bool {
	n := l.nodes[node]
	return n != nil && l.all[n.current].incarnation == incarnation
}

// begin returns a number for a new life.
func (l *lives) begin(new life) uint16 {
	if n := len(l.free); n > 0 {
		number := l.free[n-1]
		l.free = l.free[:n-1]
		l.all[number] = new
		return number
	}
	l.all = append(l.all, new)
	return uint16(len(l.all) - 1)
}

// gone ends a node's current life.
func (l *lives) gone(node Node) {
	if n := l.nodes[node]; n != nil {
		l.finish(n.current)
		delete(l.nodes, node)
	}
}

// finish marks a life as over.
func (l *lives) finish(number uint16) {
	l.all[number].over = true
	l.left += l.all[number].entries
	l.maybeFree(number)
}

// moved records that an entry changes from one life to another. noLife means none.
func (l *lives) moved(from, to uint16) {
	if to != noLife {
		l.all[to].entries++
	}
	if from == noLife {
		return
	}
	l.all[from].entries--
	if l.all[from].over {
		l.left--
		l.maybeFree(from)
	}
}

// maybeFree frees the number of a life that is over and has no entries.
func (l *lives) maybeFree(number uint16) {
	if l.all[number].entries == 0 {
		l.all[number] = life{}
		l.free = append(l.free, number)
	}
}

func (l *lives) node(number uint16) Node { return l.all[number].node }

// ended reports whether entries of that life are invalid.
func (l *lives) ended(number uint16) bool { return l.all[number].over }

func (l *lives) byNode() map[Node]int {
	m := make(map[Node]int, len(l.nodes))
	for node, n := range l.nodes {
		m[node] = l.all[n.current].entries
	}
	return m
}
