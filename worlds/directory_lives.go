package worlds

import (
	"errors"
	"math"
	"slices"
	"strings"
)

const (
	// noLife is the number of no life.
	noLife = 0
	// maxNodes is how many nodes may hold keys.
	maxNodes = 4096
	// maxFormer is how many incarnations of a node are remembered as over.
	maxFormer = 4
)

// Why an announcement is not taken.
var (
	errLate   = errors.New("worlds: that incarnation of the node is over")
	errNoRoom = errors.New("worlds: no room for more")
)

// life is one incarnation of a node, as long as entries name it.
type life struct {
	node        Node
	incarnation uint64
	// over: the node is gone or has started anew. The life's number is free once
	// entries, of those that name it, is 0.
	over bool
	// renewed: it is over because another life of the node has begun.
	renewed bool
	entries int
}

// nodeLives is what is known of a node.
type nodeLives struct {
	current uint16
	// former are its last incarnations before: what is heard of them is late.
	former []uint64
}

// lives number the incarnations of nodes, so that an entry names one in two bytes.
type lives struct {
	all   []life // by number
	free  []uint16
	nodes map[Node]*nodeLives
	// left is how many entries name lives that are over.
	left int
}

func newLives() lives { return lives{all: make([]life, 1), nodes: make(map[Node]*nodeLives)} }

// of is the number of a node's life, which begins when it is first heard of.
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
		node = Node(strings.Clone(string(node))) // it may be a part of a message
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

// is tells whether a node is known in that life.
func (l *lives) is(node Node, incarnation uint64) bool {
	n := l.nodes[node]
	return n != nil && l.all[n.current].incarnation == incarnation
}

// begin gives a life a number.
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

// gone ends a node's life.
func (l *lives) gone(node Node) {
	if n := l.nodes[node]; n != nil {
		l.finish(n.current)
		delete(l.nodes, node)
	}
}

// finish makes a life over.
func (l *lives) finish(number uint16) {
	l.all[number].over = true
	l.left += l.all[number].entries
	l.maybeFree(number)
}

// moved notes that an entry names another life; noLife for none.
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

// maybeFree frees the number of a life that is over and that no entry names.
func (l *lives) maybeFree(number uint16) {
	if l.all[number].entries == 0 {
		l.all[number] = life{}
		l.free = append(l.free, number)
	}
}

func (l *lives) node(number uint16) Node { return l.all[number].node }

// ended tells whether what names that life counts no more.
func (l *lives) ended(number uint16) bool { return l.all[number].over }

func (l *lives) byNode() map[Node]int {
	m := make(map[Node]int, len(l.nodes))
	for node, n := range l.nodes {
		m[node] = l.all[n.current].entries
	}
	return m
}
