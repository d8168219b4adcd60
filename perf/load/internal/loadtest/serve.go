//go:build linux

package loadtest

import (
	"context"
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"gatepass/codec/grunt"
)

// Serve is a server that calls handle for each connection, until the test ends. handle
// must return when the connection is closed.
func Serve(t *testing.T, handle func(net.Conn)) netip.AddrPort {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				defer conn.Close()
				handle(conn)
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		all.Wait()
	})
	return l.Addr().(*net.TCPAddr).AddrPort()
}

// Run calls serve on a goroutine of its own until the test ends. serve must return nil
// when its context ends.
func Run(t testing.TB, serve func(context.Context) error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("the server: %v", err)
		}
	})
}

// CutOff returns a handler that answers each read with the next of the given bytes, and
// closes the connection right after the last.
func CutOff(answers ...[]byte) func(net.Conn) {
	return func(conn net.Conn) {
		var b [512]byte
		for _, answer := range answers {
			if _, err := conn.Read(b[:]); err != nil {
				return
			}
			if _, err := conn.Write(answer); err != nil {
				return
			}
		}
	}
}

// Script returns a handler like CutOff that waits after the last answer until the client
// closes the connection.
func Script(answers ...[]byte) func(net.Conn) {
	play := CutOff(answers...)
	return func(conn net.Conn) {
		play(conn)
		_, _ = io.Copy(io.Discard, conn)
	}
}

// HangUp returns a handler like CutOff that closes the connection after the client's next
// message. It reads the message first, because closing with unread bytes is a reset.
func HangUp(answers ...[]byte) func(net.Conn) {
	play := CutOff(answers...)
	return func(conn net.Conn) {
		play(conn)
		var b [512]byte
		_, _ = conn.Read(b[:])
	}
}

// RealmList returns a realm list.
func RealmList(t testing.TB, build grunt.Build, realms ...grunt.Realm) []byte {
	t.Helper()
	list, err := grunt.AppendRealmList(nil, build, realms)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// Await waits until done returns true.
func Await(t *testing.T, done func() bool) {
	t.Helper()
	limit := time.NewTimer(30 * time.Second)
	defer limit.Stop()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-limit.C:
			t.Fatal("it did not come true within 30 s")
		}
	}
}
