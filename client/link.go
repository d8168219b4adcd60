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

	"github.com/valyala/bytebufferpool"
	"google.golang.org/protobuf/proto"

	"gatepass/codec/native"
)

const (
	// readBuffer is the size of a connection's read buffer, in bytes. Most frames are small
	// and arrive one at a time.
	readBuffer = 4 << 10
	// fileBuffer is its size during a download, whose frames are larger.
	fileBuffer = 64 << 10
)

// link reads and writes the frames of a connection. Until seal, frames are in the clear and
// are added to the transcript; after it, they are sealed. One goroutine may receive while
// another one sends.
type link struct {
	conn    net.Conn
	timeout time.Duration // of one write

	said native.Transcript // owned by the goroutine that signs in

	// Owned by the receiving goroutine.
	reader *bufio.Reader
	frame  []byte
	in     native.Direction

	// Owned by the sending goroutine.
	out native.Direction

	sealed bool // set before receiving and sending are separate goroutines
}

func newLink(conn net.Conn, gate bool, timeout time.Duration) *link {
	return &link{
		conn: conn, timeout: timeout,
		said: native.NewTranscript(gate), reader: bufio.NewReaderSize(conn, readBuffer),
	}
}

// seal starts the sealed channel. It is called once, after the peer has proven itself.
func (l *link) seal(toServer, toClient *[32]byte) {
	l.out, l.in = native.NewDirection(toServer), native.NewDirection(toClient)
	l.sealed = true
}

// close closes the connection, which ends all waiting calls. Any goroutine may call it,
// more than once.
func (l *link) close() { _ = l.conn.Close() }

// send writes one message. After an error part of it may be written, so the link cannot be
// used any more.
func (l *link) send(m proto.Message) error {
	body, err := proto.Marshal(m)
	if err != nil {
		return fmt.Errorf("%w: %v", ErrProtocol, err)
	}
	frame := bytebufferpool.Get()
	defer bytebufferpool.Put(frame)
	switch {
	case !l.sealed:
		l.said.Add(body)
		frame.B = binary.LittleEndian.AppendUint32(frame.B, uint32(len(body)))
		frame.B = append(frame.B, body...)
	case l.out.Worn():
		return fmt.Errorf("%w: channel is worn out", ErrProtocol)
	default:
		frame.B = l.out.Seal(frame.B, body)
	}
	clear(body)
	return l.write(frame.B)
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

// receive reads one message into m. It returns ErrProtocol if the bytes are not a message.
func (l *link) receive(m proto.Message) error {
	body, err := l.read()
	if err != nil {
		return err
	}
	if !l.sealed {
		l.said.Add(body)
	}
	if err := proto.Unmarshal(body, m); err != nil {
		// The library's error may quote received bytes.
		return fmt.Errorf("%w: not a message", ErrProtocol)
	}
	return nil
}

// read returns the body of the next frame. It is valid until the next call.
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

// bound checks a body's length and returns the length of the whole frame.
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

// widen enlarges the read buffer for a download. Only the receiving goroutine may call it.
func (l *link) widen() { l.reader = bufio.NewReaderSize(l.reader, fileBuffer) }

// patience sets how long receive may wait from now on: two ping intervals.
func (l *link) patience(ping time.Duration) error {
	if err := l.conn.SetReadDeadline(time.Now().Add(2 * ping)); err != nil {
		return lost(err)
	}
	return nil
}

// lost wraps an error of the network as ErrLost, or returns ErrUnheard for a time limit.
func lost(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return ErrUnheard
	}
	if err == io.EOF {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("%w: %w", ErrLost, err)
}

// bounded runs f, which uses the link. When ctx ends or the timeout passes, it closes the
// link and returns the context's cause or ErrTimeout. f gets a context with that limit for
// its other waits.
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
