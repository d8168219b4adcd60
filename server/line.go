package server

import (
	"time"

	"gatepass/codec"
)

// request is what a stream asks of the pump: to read its next turn.
type request struct {
	conn   codec.Conn
	source codec.TransferSource
	offset uint64
	frame  codec.FileFrame
	most   int // bytes of the file, 1 at least
}

// line is a queue of requests, first come, first served: a ring that grows.
type line struct {
	ring  []request
	first int
	n     int
}

func (l *line) push(q request) {
	if l.n == len(l.ring) {
		grown := make([]request, max(lineKept, 2*len(l.ring)))
		copy(grown[copy(grown, l.ring[l.first:]):], l.ring[:l.first])
		l.ring, l.first = grown, 0
	}
	l.ring[(l.first+l.n)%len(l.ring)] = q
	l.n++
}

// pop takes the first of a line that is not empty.
func (l *line) pop() request {
	q := l.ring[l.first]
	l.ring[l.first] = request{} // lets go of the source
	l.first = (l.first + 1) % len(l.ring)
	if l.n--; l.n == 0 && len(l.ring) > lineKept {
		l.ring, l.first = nil, 0
	}
	return q
}

// postponed is a request that stands in line from a moment on.
type postponed struct {
	request
	due time.Duration
}

// calendar has the request that is due first in front: a heap.
type calendar []postponed

func (c *calendar) push(p postponed) {
	*c = append(*c, p)
	h := *c
	for i := len(h) - 1; i > 0; {
		up := (i - 1) / 2
		if h[up].due <= h[i].due {
			break
		}
		h[up], h[i] = h[i], h[up]
		i = up
	}
}

// pop takes the first of a calendar that is not empty.
func (c *calendar) pop() request {
	h := *c
	q, last := h[0].request, len(h)-1
	h[0], h[last] = h[last], postponed{}
	h = h[:last]
	for i := 0; ; {
		least := i
		for down := 2*i + 1; down <= 2*i+2 && down < last; down++ {
			if h[down].due < h[least].due {
				least = down
			}
		}
		if least == i {
			break
		}
		h[least], h[i] = h[i], h[least]
		i = least
	}
	if *c = h; last == 0 && cap(h) > lineKept {
		*c = nil
	}
	return q
}
