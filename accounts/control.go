package accounts

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"
	"sync"
	"time"

	"gatepass/storage"
)

// Listener is the server's end of the control socket.
type Listener struct {
	// static after construction
	path   string
	socket *net.UnixListener
	once   sync.Once
	// peer tells the user of a client; peerUID but in tests.
	peer func(*net.UnixConn) (uint32, error)
}

// Listen makes the socket at path (see SocketPath). Clients may connect from
// here on and are answered once Serve runs. Call it only while holding the
// store: whoever holds the store owns the socket, so a stale file of a dead
// server is replaced.
func Listen(path string) (*Listener, error) {
	socket, err := listenSocket(path)
	if err != nil {
		return nil, err
	}
	return &Listener{path: path, socket: socket, peer: peerUID}, nil
}

// Close removes the socket. Serve does it too; it is for servers that do not
// come as far. Idempotent.
func (l *Listener) Close() error {
	var err error
	l.once.Do(func() {
		// Removed first, so that who finds the file finds a listener.
		err = errors.Join(os.Remove(l.path), l.socket.Close())
	})
	return err
}

// Serve answers clients through m until ctx ends. Then it lets each finish the
// batch it is in, tells them that the server closes, and returns when all are
// gone; m's store must stay open until then. Changes and refusals are logged.
func (l *Listener) Serve(ctx context.Context, m *Manager, logger *slog.Logger) error {
	stop := context.AfterFunc(ctx, func() { l.Close() })
	defer stop()
	defer l.Close()
	var clients sync.WaitGroup
	defer clients.Wait()
	seats := make(chan struct{}, maxClients)
	for {
		conn, err := l.socket.AcceptUnix()
		if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
			closeQuietly(conn)
			return nil
		}
		if err != nil {
			// Out of descriptors, most likely: the login edge matters more.
			logger.Warn("account control: accept failed", "error", err)
			pause(ctx, time.Second)
			continue
		}
		c := &client{conn: conn, peer: l.peer, manager: m, logger: logger}
		select {
		case seats <- struct{}{}:
			clients.Go(func() {
				defer func() { <-seats }()
				c.serve(ctx)
			})
		default:
			c.refuse(ErrServerBusy)
		}
	}
}

// client is one connection, owned by its goroutine.
type client struct {
	conn    *net.UnixConn
	peer    func(*net.UnixConn) (uint32, error)
	manager *Manager
	logger  *slog.Logger
	out     []byte
}

func (c *client) serve(ctx context.Context) {
	defer c.conn.Close()
	uid, err := c.peer(c.conn)
	if err != nil || uid != 0 && uid != uint32(os.Geteuid()) {
		c.logger.Warn("account control: refused a client of another user", "uid", uid, "error", err)
		return
	}
	c.logger = c.logger.With("uid", uid)
	// Wakes a client that waits for its next request; one that is in a batch
	// finds out when it asks for the next.
	stop := context.AfterFunc(ctx, func() { c.conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	r := bufio.NewReader(c.conn)
	for {
		c.conn.SetReadDeadline(time.Now().Add(clientIdle))
		if ctx.Err() != nil {
			c.conn.SetReadDeadline(time.Unix(1, 0)) // the line above may have undone that
		}
		line, err := readLine(r, maxWireLine)
		switch {
		case ctx.Err() != nil:
			c.refuse(ErrServerClosing)
			return
		case errors.Is(err, errLineTooLong):
			c.logger.Warn("account control: request too long")
			c.refuse(ErrTooLarge)
			return
		case err != nil:
			return
		}
		if !c.answer(ctx, line) {
			return
		}
	}
}

// answer runs one request; false ends the connection.
func (c *client) answer(ctx context.Context, line []byte) bool {
	var request wireRequest
	if err := strictJSON(line, &request); err != nil {
		// The cause is not logged: it may quote what is secret.
		c.logger.Warn("account control: request is not of this protocol")
		return c.send(wireReply{Error: wordProtocol}) && false
	}
	reply := wireReply{ID: request.ID, Version: request.Version}
	ops, err := parseOps(&request)
	if err != nil {
		c.logger.Warn("account control: refused a request", "error", err)
		reply.Error = wordInvalid
		if errors.Is(err, ErrProtocol) {
			reply.Error = wordProtocol
		}
		return c.send(reply)
	}
	// The batch is not cut in the middle when the server closes: what the store
	// has begun it finishes.
	results, err := c.manager.do(context.WithoutCancel(ctx), ops...)
	if err != nil {
		c.logger.Error("account control: the store failed", "error", err)
		reply.Error = errorWord(err)
		return c.send(reply)
	}
	c.log(ops, results)
	c.logFault(ops, results)
	room := maxWireLine
	for i := range results {
		w := newWireResult(&ops[i], &results[i], room)
		for _, raw := range w.Accounts {
			room -= len(raw)
		}
		reply.Results = append(reply.Results, w)
	}
	return c.send(reply)
}

func parseOps(request *wireRequest) (ops []storage.Op, err error) {
	if request.Version < oldestWire || request.Version > wireVersion || len(request.Ops) == 0 || len(request.Ops) > maxOps {
		return nil, ErrProtocol
	}
	ops = make([]storage.Op, len(request.Ops))
	for i := range request.Ops {
		if ops[i], err = request.Ops[i].op(); err != nil {
			return nil, err
		}
	}
	return ops, nil
}

// log notes changes, so that who did what can be found; reads are not logged. A
// batch of several accounts is one line: an import has as many as a server has logins
// in an hour.
func (c *client) log(ops []storage.Op, results []storage.Result) {
	if sameAccount(ops) {
		for i := range ops {
			c.logOne(&ops[i], results[i].Err)
		}
		return
	}
	counts := make(map[ChangeKind]int)
	for i := range ops {
		if change, ok := changeBy(&ops[i]); ok && results[i].Err == nil {
			counts[change.Kind]++
		}
	}
	for kind, n := range counts {
		c.logger.Info("accounts changed", "change", kind.String(), "accounts", n)
	}
}

// sameAccount tells whether all ops are about one account, or there is one only.
func sameAccount(ops []storage.Op) bool {
	for i := range ops {
		if i > 0 && (ops[i].Name != ops[0].Name || ops[i].Name == storage.Name{}) {
			return false
		}
	}
	return true
}

func (c *client) logOne(op *storage.Op, err error) {
	change, ok := changeBy(op)
	switch {
	case !ok || err != nil:
	case change.Prefix.IsValid():
		c.logger.Info("address bans changed", "change", change.Kind.String(), "address", change.Prefix.String())
	default:
		c.logger.Info("account changed", "change", change.Kind.String(), "account", change.Name.String())
	}
}

// logFault logs the first result of a batch that says something of the server's store and
// not of the request: the client is told no more than a word.
func (c *client) logFault(ops []storage.Op, results []storage.Result) {
	count, first := 0, -1
	for i := range results {
		if results[i].Err != nil && isFault(results[i].Err) {
			if count++; first < 0 {
				first = i
			}
		}
	}
	if count > 0 {
		c.logger.Error("account control: the store failed",
			"kind", ops[first].Kind.String(), "account", ops[first].Name.String(), "error", results[first].Err, "count", count)
	}
}

// isFault tells errors that an operator should look into.
func isFault(err error) bool {
	word, _, _ := strings.Cut(errorWord(err), ":")
	switch word {
	case wordFailed, wordUnread, wordUnreadable, wordCorrupt, wordInternal:
		return true
	}
	return false
}

func (c *client) send(reply wireReply) bool {
	// An older client takes replies of its own version only.
	if reply.Version < oldestWire || reply.Version > wireVersion {
		reply.Version = wireVersion
	}
	c.out = appendLine(c.out[:0], reply)
	c.conn.SetWriteDeadline(time.Now().Add(storeWait))
	_, err := c.conn.Write(c.out)
	return err == nil
}

// refuse tells the client why and ends the connection.
func (c *client) refuse(why error) {
	c.send(wireReply{Error: errorWord(why)})
	c.conn.Close()
}

// readLine reads up to a newline, which it drops. A last line without one is
// io.ErrUnexpectedEOF: half a request is none.
func readLine(r *bufio.Reader, limit int) ([]byte, error) {
	var line []byte
	for {
		part, err := r.ReadSlice('\n')
		if len(line)+len(part) > limit {
			return nil, errLineTooLong
		}
		line = append(line, part...)
		switch {
		case err == nil:
			return bytes.TrimSuffix(line, []byte("\n")), nil
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(line) > 0:
			return nil, io.ErrUnexpectedEOF
		default:
			return nil, err
		}
	}
}

func closeQuietly(conn *net.UnixConn) {
	if conn != nil {
		conn.Close()
	}
}

// pause waits for d or the end of ctx.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
