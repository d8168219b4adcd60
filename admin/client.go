package admin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"

	"gatepass/accounts"
	"gatepass/storage"
)

// Client gives commands to the server behind a control socket. It is an accounts.Store.
// Its methods may be called from any goroutine; commands go one after the other, over
// one connection, so that a client takes one of the server's places.
type Client struct {
	// static after construction
	path      string
	table     *table
	transport *http.Transport
	met       bool // the server has answered Dial

	// guarded by mu
	mu     sync.Mutex
	conn   net.Conn // the last one
	closed bool
}

// Dial connects to the server that listens at path, and asks whether it is of this
// version.
func Dial(ctx context.Context, path string) (*Client, error) {
	c := &Client{path: path, table: newTable()}
	c.transport = &http.Transport{DialContext: c.dial, MaxConnsPerHost: 1, MaxIdleConnsPerHost: 1, DisableCompression: true}
	ctx, cancel := context.WithTimeoutCause(ctx, accounts.StoreWait, ErrServerSlow)
	defer cancel()
	err := c.exchange(ctx, http.MethodGet, "", nil, func([]byte) error { return ErrProtocol })
	if err != nil {
		return nil, errors.Join(err, c.Close())
	}
	c.met = true
	return c, nil
}

// dial makes a connection for the transport.
func (c *Client) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	conn, err := dialSocket(ctx, c.path)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, errors.Join(net.ErrClosed, conn.Close())
	}
	c.conn = conn
	return conn, nil
}

// Close ends the connection; a command under way fails. Idempotent.
func (c *Client) Close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed = true
	if c.conn == nil {
		return nil
	}
	if err := c.conn.Close(); !errors.Is(err, net.ErrClosed) {
		return err
	}
	return nil
}

// Do is accounts.Store.Do. Ops that together exceed what a request may hold go in
// several.
func (c *Client) Do(ctx context.Context, ops ...storage.Op) ([]storage.Result, error) {
	body, err := c.request(ops)
	if err != nil {
		return nil, err
	}
	switch {
	case len(body) > maxRequest && len(ops) == 1:
		return nil, ErrTooLarge
	case len(body) > maxRequest || len(ops) > accounts.MaxOps:
		return c.halves(ctx, ops)
	case len(ops) == 1:
		return c.one(ctx, &ops[0], body)
	}
	return c.many(ctx, ops, body)
}

// request is the body for ops: of one its own, of more a batch.
func (c *Client) request(ops []storage.Op) ([]byte, error) {
	for i := range ops {
		if c.table.byKind[ops[i].Kind] == nil {
			return nil, ErrProtocol
		}
	}
	var body bytes.Buffer
	e := json.NewEncoder(&body)
	for i := range ops {
		o := c.table.byKind[ops[i].Kind]
		if len(ops) > 1 {
			if err := e.Encode(BatchItem{o.info().Name}); err != nil {
				return nil, fmt.Errorf("admin: %w", err)
			}
		}
		if err := e.Encode(o.request(&ops[i])); err != nil {
			return nil, fmt.Errorf("admin: %w", err)
		}
	}
	return body.Bytes(), nil
}

func (c *Client) halves(ctx context.Context, ops []storage.Op) ([]storage.Result, error) {
	first, err := c.Do(ctx, ops[:len(ops)/2]...)
	if err != nil {
		return nil, err
	}
	second, err := c.Do(ctx, ops[len(ops)/2:]...)
	return append(first, second...), err
}

// one gives a command of its own.
func (c *Client) one(ctx context.Context, op *storage.Op, body []byte) ([]storage.Result, error) {
	o, r := c.table.byKind[op.Kind], newResult(op)
	err := c.exchange(ctx, http.MethodPost, o.info().Name, body, func(object []byte) error { return o.result(object, &r) })
	if result := (*resultError)(nil); errors.As(err, &result) {
		r.Err, err = result.cause, nil
	}
	if err != nil {
		return nil, err
	}
	return []storage.Result{r}, nil
}

// many gives a batch.
func (c *Client) many(ctx context.Context, ops []storage.Op, body []byte) ([]storage.Result, error) {
	results := make([]storage.Result, 0, len(ops))
	err := c.exchange(ctx, http.MethodPost, batch{}.info().Name, body, func(object []byte) error {
		var line BatchResult
		if json.Unmarshal(object, &line) != nil || line.Item != len(results) || line.Item >= len(ops) {
			return ErrProtocol
		}
		op := &ops[len(results)]
		r := newResult(op)
		r.Err = wordError(line.Error)
		for _, raw := range line.Results {
			if err := c.table.byKind[op.Kind].result(raw, &r); err != nil {
				return err
			}
		}
		results = append(results, r)
		return nil
	})
	if err == nil && len(results) != len(ops) {
		err = ErrProtocol
	}
	if err != nil {
		return nil, err
	}
	return results, nil
}

func newResult(op *storage.Op) storage.Result {
	return storage.Result{Kind: op.Kind, Tag: op.Tag, Name: op.Name}
}

// resultError is the error that a command has as its result: it was carried out, or the
// store said why not.
type resultError struct{ cause error }

func (e *resultError) Error() string { return e.cause.Error() }
func (e *resultError) Unwrap() error { return e.cause }

// exchange gives a command and hands each object of the reply to take. When ctx ends the
// connection is cut, and with it the command, unless that is in the store already.
func (c *Client) exchange(ctx context.Context, method, name string, body []byte, take func(object []byte) error) error {
	r, err := http.NewRequestWithContext(ctx, method, "http://gatepass"+pathPrefix+name, bytes.NewReader(body))
	if err != nil {
		return fmt.Errorf("admin: %w", err)
	}
	reply, err := c.transport.RoundTrip(r)
	if err != nil {
		return c.broken(ctx, err)
	}
	defer reply.Body.Close()
	rest := &io.LimitedReader{R: reply.Body, N: maxReply}
	d := json.NewDecoder(rest)
	for {
		var object json.RawMessage
		switch err := d.Decode(&object); {
		case rest.N == 0:
			return ErrTooLarge
		case errors.Is(err, io.EOF) && reply.StatusCode == http.StatusOK:
			return nil
		case errors.As(err, new(*json.SyntaxError)), errors.Is(err, io.EOF):
			return ErrProtocol
		case err != nil:
			return c.broken(ctx, err)
		}
		if word, failed := failureWord(object); failed {
			return fault(reply.StatusCode, word)
		}
		if reply.StatusCode != http.StatusOK {
			return ErrProtocol
		}
		if err := take(object); err != nil {
			return err
		}
	}
}

// failureWord tells whether an object of a reply is an error, and which.
func failureWord(object []byte) (word string, failed bool) {
	if !bytes.HasPrefix(object, []byte(`{"error":`)) {
		return "", false
	}
	d := json.NewDecoder(bytes.NewReader(object))
	d.DisallowUnknownFields()
	var f failure
	failed = d.Decode(&f) == nil && f.Error != ""
	return f.Error, failed
}

// fault is the error of a reply.
func fault(status int, word string) error {
	err := wordError(word)
	if wasRefused(status) || errors.Is(err, ErrProtocol) {
		return err
	}
	return &resultError{err}
}

// broken words the error of a connection.
func (c *Client) broken(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case !c.met && (nobodyListens(err) || errors.Is(err, syscall.EACCES)):
		return err
	case errors.Is(err, syscall.ENOENT):
		return ErrServerClosing // it has removed its socket
	case strings.Contains(err.Error(), "malformed HTTP"):
		return ErrProtocol // such as a server that had no HTTP yet
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return ErrDisconnected
	}
	return &wordedError{ErrDisconnected.Error() + ": " + err.Error(), ErrDisconnected}
}
