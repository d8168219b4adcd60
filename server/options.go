package server

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"syscall"
	"time"

	"gatepass/codec"
)

// Protocol returns the codec state for a new connection. Several reactors may call it at once.
type Protocol func() Session

// Session is the codec state of one connection. Its methods are called on the connection's
// reactor only.
type Session interface {
	// Decode decodes one message from the front of b. It returns how many bytes the message
	// has, codec.ErrShort when the message is incomplete, or a *codec.Violation. m does not
	// alias b.
	Decode(b []byte, m *codec.Message) (n int, err error)
	// Append encodes a reply for this client.
	Append(dst []byte, r *codec.Reply) ([]byte, error)
	// AppendViolation encodes the answer to a violation; nothing where the protocol has none.
	AppendViolation(dst []byte, v *codec.Violation) []byte
}

// Sealer is a Session that seals everything it sends. Frames that are already encoded go
// through it too, once for each connection.
type Sealer interface {
	// AppendFrame appends frame, sealed for this client.
	AppendFrame(dst, frame []byte) ([]byte, error)
}

// Listener is one address and the protocol of its connections.
type Listener struct {
	// Addr is where to listen, host:port; an empty host is every address.
	Addr string
	// Speaks is the protocol in the KindOpened message of its connections.
	Speaks codec.Protocol
	// Protocol makes the codec of each connection.
	Protocol Protocol
}

// Sink takes the messages that a reactor decodes. One sink belongs to one reactor; its methods
// are called on that reactor.
type Sink interface {
	// Offer hands over the message of a new connection. False refuses the connection.
	Offer(m *codec.Message) bool
	// Deliver hands over any other message. False means that there is no room now;
	// Server.Resume says that there is room again.
	Deliver(m *codec.Message) bool
}

// Options configure a Server.
type Options struct {
	// Listeners are the addresses to serve, at least one. No two have the same port.
	Listeners []Listener
	// Reactors is the number of event loops, 1 … codec.MaxReactors.
	Reactors int
	// MaxConns is how many connections may be open at once; further ones are refused. 0 uses
	// what RLIMIT_NOFILE leaves.
	MaxConns int
	// OtherFiles is how many file descriptors to reserve besides FileReserve, for what else
	// the process serves.
	OtherFiles int
	// SendBound is how many unsent bytes one connection may have before it is closed. 0 uses
	// DefaultSendBound.
	SendBound int
	// SendQueue is how many replies may wait for the sender. 0 uses DefaultSendQueue.
	SendQueue int
	// Transfers limits the sending of files.
	Transfers TransferOptions
	// Idle, if set, returns whether no client's work is in progress outside the reactors and
	// the send queue. It is set only when Go runs on one processor. A reactor may then keep
	// the processor for a moment while it waits (see idler). Idle is called often, on a
	// goroutine of the server.
	Idle func() bool
	// Sink returns the sink of the reactor with that index.
	Sink func(reactor int) Sink
	// Logger gets rare events. It must not block.
	Logger *slog.Logger
}

// TransferOptions limit the sending of files.
type TransferOptions struct {
	// Rate is how many bytes of files the server sends a second, ClientRate how many it sends
	// to one client; 0 is no limit.
	Rate, ClientRate int64
	// Stall is how long a client may take less than 16 KiB before its connection is closed as
	// too slow. 0 uses DefaultTransferStall.
	Stall time.Duration
	// Readers is how many reads of files run at once. 0 uses DefaultTransferReaders.
	Readers int
}

// EnsureDefaults sets the default of each option that is 0.
func (o *Options) EnsureDefaults() {
	if o.SendBound == 0 {
		o.SendBound = DefaultSendBound
	}
	if o.SendQueue == 0 {
		o.SendQueue = DefaultSendQueue
	}
	if o.MaxConns == 0 {
		o.MaxConns = max(1, o.mostConns())
	}
	if o.Transfers.Stall == 0 {
		o.Transfers.Stall = DefaultTransferStall
	}
	if o.Transfers.Readers == 0 {
		o.Transfers.Readers = DefaultTransferReaders
	}
}

// Validate returns every invalid option in one error.
func (o *Options) Validate() error {
	var faults []error
	faults = append(faults, o.listenerFaults()...)
	if o.Reactors < 1 || o.Reactors > codec.MaxReactors {
		faults = append(faults, fmt.Errorf("reactors: %d is not in 1 … %d", o.Reactors, codec.MaxReactors))
	}
	if most := o.mostConns(); most < 1 {
		faults = append(faults, fmt.Errorf(
			"max-conns: the limit of open files is %d, and %d are kept back: raise it with ulimit -n or LimitNOFILE=", FileLimit(), FileReserve+o.OtherFiles))
	} else if o.MaxConns < 1 || o.MaxConns > most {
		faults = append(faults, fmt.Errorf(
			"max-conns: %d is not in 1 … %d (RLIMIT_NOFILE less %d kept back); raise it with ulimit -n or LimitNOFILE=",
			o.MaxConns, most, FileReserve+o.OtherFiles))
	}
	if o.SendBound < MaxPending {
		faults = append(faults, fmt.Errorf("send-bound: %d is below %d", o.SendBound, MaxPending))
	}
	if o.SendQueue < 1 {
		faults = append(faults, fmt.Errorf("send-queue: %d is below 1", o.SendQueue))
	}
	faults = append(faults, o.Transfers.faults()...)
	if o.Sink == nil || o.Logger == nil {
		faults = append(faults, errors.New("sink and logger are needed"))
	}
	return errors.Join(faults...)
}

func (o *Options) listenerFaults() (faults []error) {
	if len(o.Listeners) == 0 {
		faults = append(faults, errors.New("listeners: one at least is needed"))
	}
	taken := make(map[string]string)
	for _, l := range o.Listeners {
		_, port, err := net.SplitHostPort(l.Addr)
		if err != nil {
			faults = append(faults, fmt.Errorf("address %q: %w", l.Addr, err))
		} else if other := taken[port]; other != "" {
			faults = append(faults, fmt.Errorf("address %q has the port of %q", l.Addr, other))
		} else if port != "0" { // each listener with port 0 gets a port of its own
			taken[port] = l.Addr
		}
		if l.Protocol == nil || l.Speaks >= codec.ProtocolCount {
			faults = append(faults, fmt.Errorf("address %q: a protocol is needed", l.Addr))
		}
	}
	return faults
}

func (o *TransferOptions) faults() (faults []error) {
	if o.Rate < 0 || o.Rate > MaxTransferRate {
		faults = append(faults, fmt.Errorf("transfers: rate: %d is not in 0 … %d", o.Rate, int64(MaxTransferRate)))
	}
	if o.ClientRate < 0 || o.ClientRate > MaxTransferRate {
		faults = append(faults, fmt.Errorf("transfers: client-rate: %d is not in 0 … %d", o.ClientRate, int64(MaxTransferRate)))
	}
	if o.Stall < 0 {
		faults = append(faults, fmt.Errorf("transfers: stall: %v is below 0", o.Stall))
	}
	if o.Readers < 0 || o.Readers > MaxTransferReaders {
		faults = append(faults, fmt.Errorf("transfers: readers: %d is not in 0 … %d", o.Readers, MaxTransferReaders))
	}
	return faults
}

// mostConns returns how many connections the limit of open files allows.
func (o *Options) mostConns() int { return FileLimit() - FileReserve - o.OtherFiles }

// FileLimit returns the process's limit of open files. Go raises the soft limit to the hard
// limit by itself. Any goroutine.
func FileLimit() int {
	var l syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &l); err != nil {
		return 1024
	}
	return int(min(l.Cur, codec.MaxSlots))
}
