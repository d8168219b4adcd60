package client

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"google.golang.org/protobuf/proto"

	"gatepass/codec/native"
)

const (
	// readBuffer holds what the kernel has of a connection; frames are mostly small,
	// and seldom more than one.
	readBuffer = 4 << 10
	// fileBuffer does so while a file comes, by frames of 4 KiB.
	fileBuffer = 64 << 10
)

// link is a connection's frames: in the clear and taken into the transcript at
// first, sealed from seal on. One goroutine may receive and another send at a time.
type link struct {
	conn    net.Conn
	timeout time.Duration // of one write

	said native.Transcript // owned by who signs in

	// Owned by who receives.
	reader *bufio.Reader
	frame  []byte
	in     native.Direction

	// Owned by who sends.
	out native.Direction

	sealed bool // set before the two are two
}

func newLink(conn net.Conn, gate bool, timeout time.Duration) *link {
	return &link{
		conn: conn, timeout: timeout,
		said: native.NewTranscript(gate), reader: bufio.NewReaderSize(conn, readBuffer),
	}
}

// seal is called once, when the peer has proven itself.
func (l *link) seal(toServer, toClient *[32]byte) {
	l.out, l.in = native.NewDirection(toServer), native.NewDirection(toClient)
	l.sealed = true
}

// close may be called from anywhere, more than once; it ends what waits.
func (l *link) close() { _ = l.conn.Close() }

// send writes one message. What was written of it when it fails is unknown: the link
// is then over.
func (l *link) send(m proto.Message) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrProtocol, err)
	}
	var frame []byte
	switch {
	case !l.sealed:
		l.said.Add(body)
		frame = binary.LittleEndian.AppendUint32(make([]byte, 0, native.HeaderSize+len(body)), uint32(len(body)))
		frame = append(frame, body...)
	case l.out.Worn():
		return fmt.Errorf("%w: channel is worn out", ErrProtocol)
	default:
		frame = l.out.Seal(make([]byte, 0, native.HeaderSize+len(body)+native.SealSize), body)
	}
	clear(body)
	return l.write(frame)
}

func (l *link) write(frame []byte) error {
	if err := l.conn.SetWriteDeadline(time.Now().Add(l.timeout)); err != nil {
		return lost(err)
	}
	if _, err := l.conn.Write(frame); err != nil {
		return lost(err)
	}
	return nil
}

// receive reads one message into m. ErrProtocol when it is none.
func (l *link) receive(m proto.Message) error {
	body, err := l.read()
	if err != nil {
		return err
	}
	if !l.sealed {
		l.said.Add(body)
	}
	if err := proto.Unmarshal(body, m); err != nil {
		// The library's words may quote what came.
		return fmt.Errorf("%w: not a message", ErrProtocol)
	}
	return nil
}

// read returns the body of the next frame, which is good until the next call.
func (l *link) read() ([]byte, error) {
	header, err := l.reader.Peek(native.HeaderSize)
	if err != nil {
		return nil, lost(err)
	}
	size, err := l.bound(binary.LittleEndian.Uint32(header))
	if err != nil {
		return nil, err
	}
	if cap(l.frame) < size {
		l.frame = make([]byte, size)
	}
	frame := l.frame[:size]
	if _, err := io.ReadFull(l.reader, frame); err != nil {
		return nil, lost(err)
	}
	if !l.sealed {
		return frame[native.HeaderSize:], nil
	}
	body, err := l.in.Open(frame)
	if err != nil {
		return nil, fmt.Errorf("%w: frame does not open", ErrProtocol)
	}
	return body, nil
}

// bound judges a length and returns that of the whole frame.
func (l *link) bound(size uint32) (int, error) {
	low, high := uint32(1), uint32(native.MaxServerBody)
	if l.sealed {
		low, high = native.SealSize, high+native.SealSize
	}
	if size < low || size > high {
		return 0, fmt.Errorf("%w: frame of %d bytes", ErrProtocol, size)
	}
	return native.HeaderSize + int(size), nil
}

// widen is for a connection that will carry a file. Owned by who receives.
func (l *link) widen() { l.reader = bufio.NewReaderSize(l.reader, fileBuffer) }

// patience is how long receive waits from now on: two pings that were not answered.
func (l *link) patience(ping time.Duration) error {
	if err := l.conn.SetReadDeadline(time.Now().Add(2 * ping)); err != nil {
		return lost(err)
	}
	return nil
}

// lost puts a network's error in our words and keeps it.
func lost(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrUnheard
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// bounded runs f, which works with the link, and breaks the link when ctx ends or the
// time is over; the error is then the context's cause, or ErrTimeout. f is given that
// context for what it waits for beside the link.
func (l *link) bounded(ctx context.Context, f func(context.Context) error) error {
	ctx, cancel := context.WithTimeoutCause(ctx, l.timeout, ErrTimeout)
	defer cancel()
	stop := context.AfterFunc(ctx, l.close)
	err := f(ctx)
	if stop() {
		return err
	}
	return context.Cause(ctx)
}
