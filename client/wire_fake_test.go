package client_test

import (
	"errors"
	"net"

	"gatepass/codec"
)

// wire is one end of a connection that always reads, so that the other never waits.
type wire struct {
	net.Conn
	raw  chan []byte
	rest []byte
	next verdict // for the next frame
}

func newWire(c net.Conn) *wire {
	w := &wire{Conn: c, raw: make(chan []byte, 4096)}
	go func() {
		defer close(w.raw)
		for {
			b := make([]byte, 1<<10)
			n, err := c.Read(b)
			if n > 0 {
				w.raw <- b[:n]
			}
			if err != nil {
				return
			}
		}
	}()
	return w
}

// hear decodes the next message; ok is false when the client has hung up.
func (w *wire) hear(decode func([]byte, *codec.Message) (int, error)) (m codec.Message, ok bool) {
	for {
		n, err := decode(w.rest, &m)
		if err == nil {
			w.rest = w.rest[n:]
			return m, true
		}
		if !errors.Is(err, codec.ErrShort) {
			panic(err)
		}
		more, open := <-w.raw
		if !open {
			return m, false
		}
		w.rest = append(w.rest, more...)
	}
}

func (w *wire) tell(frame []byte, err error) {
	if err != nil {
		panic(err)
	}
	switch w.next {
	case flipNext:
		frame[len(frame)-1] ^= 1
	case halveNext:
		frame = frame[:len(frame)/2]
		defer w.Close()
	}
	w.next = proceed
	_, _ = w.Write(frame) // the client may have gone
}

// until waits for the client to hang up.
func (w *wire) until() {
	for range w.raw {
	}
}
