package floor

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"

	"golang.org/x/sys/unix"

	"gatepass/perf/load/internal/loop"
	"gatepass/perf/load/internal/protocol"
)

// Floor is the least that a login server can do: one epoll loop that answers each request
// with fixed bytes of the right length. It has no arithmetic, no accounts and no queue. A
// real server's cost above the floor is the cost of these.
//
// Floor reads only the opcode and the build. It relies on its clients to send each request
// in one segment and to wait for the answer, as the load engine does. It must not be
// reachable from a network.
type Floor struct {
	poll     *loop.Poller
	listener int
	addr     netip.AddrPort
	canned   Canned
	// modern says by descriptor whether the client uses the later layouts. There is no
	// other state per connection.
	modern []bool
	buf    [512]byte
}

// maxDescriptor is one more than the largest descriptor of a connection.
const maxDescriptor = 1 << 16

// Listen opens the floor's socket. Clients can connect from then on. Port 0 selects
// a free port.
func Listen(addr netip.AddrPort) (*Floor, error) {
	f := &Floor{canned: NewCanned(), modern: make([]bool, maxDescriptor)}
	var err error
	if f.listener, f.addr, err = loop.Listen(addr); err != nil {
		return nil, fmt.Errorf("listen on %s: %w", addr, err)
	}
	if f.poll, err = loop.NewPoller(); err != nil {
		_ = unix.Close(f.listener)
		return nil, err
	}
	if e := f.poll.Add(f.listener, unix.EPOLLIN, loop.Token{Slot: int32(f.listener)}); e != 0 {
		f.close()
		return nil, fmt.Errorf("epoll_ctl: %w", e)
	}
	return f, nil
}

// Addr returns the address at which the floor listens.
func (f *Floor) Addr() netip.AddrPort { return f.addr }

// Serve answers requests until ctx ends, then closes everything. It locks its goroutine
// to a thread, which it keeps busy while it runs.
func (f *Floor) Serve(ctx context.Context) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	defer f.close()
	// Only this wake ends the loop, so it cannot write to a closed poller.
	defer context.AfterFunc(ctx, f.poll.Wake)()
	for {
		for _, event := range f.poll.Wait(-1) {
			switch event.Fd {
			case loop.WakeSlot:
				return nil
			case int32(f.listener):
				f.accept()
			default:
				f.answer(int(event.Fd))
			}
		}
	}
}

// accept accepts one connection. Where more wait, the next poll reports them; that costs
// less than a failing accept each time.
func (f *Floor) accept() {
	fd, e := loop.Accept(f.listener)
	if e != 0 {
		return
	}
	if fd >= maxDescriptor || f.poll.Add(fd, unix.EPOLLIN, loop.Token{Slot: int32(fd)}) != 0 {
		loop.Close(fd)
	}
}

// answer reads one request and writes its reply. It closes the connection at the end of
// the stream, at an error and at an unknown opcode.
func (f *Floor) answer(fd int) {
	n, e := loop.Read(fd, f.buf[:])
	if e == unix.EAGAIN || e == unix.EINTR {
		return
	}
	if e != 0 || n == 0 {
		loop.Close(fd)
		return
	}
	reply := f.reply(fd, f.buf[:n])
	if reply == nil {
		loop.Close(fd)
		return
	}
	_, _ = loop.Write(fd, reply)
}

// reply returns the fixed answer. The build in the challenge decides the layouts of the
// other answers.
func (f *Floor) reply(fd int, request []byte) []byte {
	switch request[0] {
	case protocol.OpChallenge:
		if len(request) < protocol.ChallengeMin {
			return nil
		}
		f.modern[fd] = uint16(request[11])|uint16(request[12])<<8 > protocol.LastVanillaBuild
		return f.canned.Challenge
	case protocol.OpProof:
		return f.canned.of(f.modern[fd]).Proof
	case protocol.OpRealmList:
		return f.canned.of(f.modern[fd]).List
	}
	return nil
}

func (f *Floor) close() {
	_ = unix.Close(f.listener)
	f.poll.Close()
}
