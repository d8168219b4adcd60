package accounts

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"
	"time"

	"gatepass/storage"
)

// Remote is the Store behind a control socket. Its methods may be called from
// any goroutine; requests go one after the other. When the connection breaks,
// or the server ends it, it stays broken.
type Remote struct {
	// guarded by mu
	mu     sync.Mutex
	conn   *net.UnixConn
	r      *bufio.Reader
	lastID uint64
	out    []byte
	broken error
}

// Dial connects to the server that listens at path.
func Dial(ctx context.Context, path string) (*Remote, error) {
	conn, err := dialSocket(ctx, path)
	if err != nil {
		return nil, err
	}
	return &Remote{conn: conn, r: bufio.NewReader(conn)}, nil
}

// Close ends the connection. Idempotent.
func (r *Remote) Close() error {
	if err := r.conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Do is Store.Do. Ops that together exceed what a request may hold go in
// several.
func (r *Remote) Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.doLocked(ctx, ops)
}

func (r *Remote) doLocked(ctx context.Context, ops []storage.Op) ([]storage.Result, error) {
	r.lastID++
	request := wireRequest{Version: wireVersion, ID: r.lastID, Ops: make([]wireOp, len(ops))}
	for i := range ops {
		request.Ops[i] = newWireOp(&ops[i])
	}
	r.out = appendLine(r.out[:0], request)
	if len(r.out) <= maxWireLine && len(ops) <= maxOps {
		return r.exchangeLocked(ctx, ops)
	}
	if len(ops) == 1 {
		return nil, ErrTooLarge
	}
	first, err := r.doLocked(ctx, ops[:len(ops)/2])
	if err != nil {
		return nil, err
	}
	second, err := r.doLocked(ctx, ops[len(ops)/2:])
	return append(first, second...), err
}

// exchangeLocked sends what stands in out and waits for the reply to it.
func (r *Remote) exchangeLocked(ctx context.Context, ops []storage.Op) ([]storage.Result, error) {
	if r.broken != nil {
		return nil, r.broken
	}
	stop := context.AfterFunc(ctx, func() { r.conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	reply, err := r.roundTripLocked()
	if err != nil {
		if ctx.Err() != nil {
			err = context.Cause(ctx)
		}
		r.broken = err
		return nil, err
	}
	if reply.Error != "" {
		return nil, wordError(reply.Error)
	}
	if len(reply.Results) != len(ops) {
		return nil, ErrProtocol
	}
	results := make([]storage.Result, len(ops))
	for i := range results {
		if results[i], err = reply.Results[i].result(&ops[i]); err != nil {
			return nil, err
		}
	}
	return results, nil
}

func (r *Remote) roundTripLocked() (*wireReply, error) {
	_, writeErr := r.conn.Write(r.out)
	// A server that refuses says why before it closes, so even after a failed
	// write there may be a reply.
	line, err := readLine(r.r, maxReplyLine)
	if err != nil {
		return nil, disconnected(errors.Join(writeErr, err))
	}
	var reply wireReply
	if json.Unmarshal(line, &reply) != nil || reply.Version != wireVersion {
		return nil, ErrProtocol
	}
	switch {
	case reply.ID == r.lastID:
		return &reply, nil
	case reply.ID == 0 && reply.Error != "":
		// The server's last words.
		return nil, wordError(reply.Error)
	}
	return nil, ErrProtocol
}

// disconnected seals the cause unless it says more than that the server left.
func disconnected(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return ErrDisconnected
	}
	return &subjectError{ErrDisconnected.Error() + ": " + err.Error(), ErrDisconnected}
}
