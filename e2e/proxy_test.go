package e2e

import (
	"net"
	"sync"
	"testing"
)

// proxy stands between a node and the bus.
type proxy struct {
	listener net.Listener
	to       string
	running  sync.WaitGroup

	mu    sync.Mutex
	deaf  bool       // guarded by mu: nothing passes
	conns []net.Conn // guarded by mu
}

// newProxy makes one for that address; the test's end closes it.
func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	p := &proxy{listener: l, to: to}
	p.running.Go(p.accept)
	t.Cleanup(func() {
		_ = l.Close()
		p.drop()
		p.running.Wait()
	})
	return p
}

func (p *proxy) accept() {
	for {
		near, err := p.listener.Accept()
		if err != nil {
			return
		}
		far, err := net.Dial("tcp", p.to)
		if err != nil {
			_ = near.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, near, far)
		p.mu.Unlock()
		p.running.Go(func() { p.carry(near, far) })
		p.running.Go(func() { p.carry(far, near) })
	}
}

// carry hands on what comes, or, while nothing passes, throws it away.
func (p *proxy) carry(from, to net.Conn) {
	defer from.Close()
	defer to.Close()
	b := make([]byte, 1<<16)
	for {
		n, err := from.Read(b)
		if err != nil {
			return
		}
		p.mu.Lock()
		deaf := p.deaf
		p.mu.Unlock()
		if deaf {
			continue
		}
		if _, err := to.Write(b[:n]); err != nil {
			return
		}
	}
}

// cut lets nothing pass any more: neither side is told.
func (p *proxy) cut() {
	p.mu.Lock()
	p.deaf = true
	p.mu.Unlock()
}

// mend ends a cut. Connections from before are of no use any more.
func (p *proxy) mend() {
	p.mu.Lock()
	p.deaf = false
	p.mu.Unlock()
	p.drop()
}

func (p *proxy) drop() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}
