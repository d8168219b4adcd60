package client

import (
	"context"
	"net"
	"sync"
)

// Factor is what an account wants beside its password.
type Factor uint8

// The factors; the numbers are the contract's.
const (
	// FactorTOTP is the code that an authenticator shows.
	FactorTOTP Factor = iota + 1
	// FactorPIN is a PIN.
	FactorPIN
)

func (f Factor) String() string {
	switch f {
	case FactorTOTP:
		return "authenticator code"
	case FactorPIN:
		return "PIN"
	}
	return "unknown factor"
}

// Credentials are who signs in.
type Credentials struct {
	// Account is the account's name; case does not count.
	Account string
	// Password may be empty where a token is stored. Case counts. It is used when
	// there is no token, when it cannot be used (Session.TokenFault), and when the
	// server does not take it any more.
	Password string
	// Code asks the player for the second factor and may wait for it as long as the
	// context lets it. It may be called again when the session reconnects, from the
	// session's goroutine.
	Code func(ctx context.Context, factor Factor) (string, error)
}

// String is for logs; it has no password.
func (c Credentials) String() string { return "credentials of " + c.Account }

// GoString is String.
func (c Credentials) GoString() string { return c.String() }

// Client is a login server that can be reached.
type Client struct {
	o       Options
	address string

	mu    sync.Mutex
	first net.Conn // not used yet; nil when a Login has taken it
}

// Dial connects to the login server at address, HOST or HOST:PORT (see ParseAddress).
// The connection is used by the first Login.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	o.EnsureDefaults()
	if err := o.Validate(); err != nil {
		return nil, err
	}
	address, err := ParseAddress(address)
	if err != nil {
		return nil, err
	}
	conn, err := dial(ctx, &o, address)
	if err != nil {
		return nil, err
	}
	return &Client{o: o, address: address, first: conn}, nil
}

// Login signs in: by token when there is one, else by password, and waits for the
// first list of worlds. ctx bounds that, and not the session. A *RefusedError is the
// server's no, an *UpdateOffer (see there) its wish that the client be updated first. It may be called again, after a failure too; each session is one of its
// own.
func (c *Client) Login(ctx context.Context, who Credentials) (*Session, error) {
	account, err := fold(who.Account)
	if err != nil {
		return nil, err
	}
	who.Account = account
	signer := &signer{o: &c.o, address: c.address, account: account, code: who.Code, first: c.take(), updates: c.o.TakesUpdates}
	if who.Password != "" {
		signer.password = newPassword(account, who.Password)
	}
	l, err := signer.signIn(ctx)
	if err != nil {
		signer.close()
		return nil, err
	}
	signer.updates = false
	s := newSession(signer)
	s.tokenFault = signer.fault
	go s.run(l)
	if err := s.settle(ctx, l); err != nil {
		_ = s.Close()
		return nil, err
	}
	return s, nil
}

// settle waits for the first list and for the token that is asked for by the way.
func (s *Session) settle(ctx context.Context, l *login) error {
	bounded, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, ErrTimeout)
	defer cancel()
	select {
	case <-s.listed:
	case <-s.done:
		if !s.isListed() {
			return s.err
		} // it has ended since: that is the session's to tell
	case <-bounded.Done():
		return context.Cause(bounded)
	}
	if !s.o.Remember || l.byToken || !l.remembers || s.o.Tokens == nil {
		return nil
	}
	if err := s.Remember(ctx); err != nil {
		s.o.Logger.Warn("the device is not remembered", "error", err)
	}
	return ctx.Err()
}

func (c *Client) take() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn := c.first
	c.first = nil
	return conn
}

// Close gives up the connection if no Login has used it. Sessions stay. It may be
// called more than once.
func (c *Client) Close() error {
	if conn := c.take(); conn != nil {
		return conn.Close()
	}
	return nil
}
