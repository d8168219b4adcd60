package server

import (
	"time"

	"gatepass/codec"
)

// request asks the pump to read a stream's next turn.
type request struct {
	conn   codec.Conn
	source codec.TransferSource
	offset uint64
	frame  codec.FileFrame
	most   int // bytes of the file, at least 1
}

// line is a FIFO queue of requests, in a ring that grows.
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

// pop removes and returns the first request. The queue must not be empty.
func (l *line) pop() request {
	q := l.ring[l.first]
	l.ring[l.first] = request{} // releases the source
	l.first = (l.first + 1) % len(l.ring)
	if l.n--; l.n == 0 && len(l.ring) > lineKept {
		l.ring, l.first = nil, 0
	}
	return q
}

// postponed is a request that enters the queue at a given time.
type postponed struct {
	request
	due time.Duration
}

// calendar is a heap of requests; the one that is due first is at the front.
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

// pop removes and returns the first request. The calendar must not be empty.
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
