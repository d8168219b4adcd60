package client

import (
	"context"
	"net"
	"sync"
)

// Factor is a second factor that an account needs in addition to its password.
type Factor uint8

// The factors. Their numbers are those of the protocol.
const (
	// FactorTOTP is the code that an authenticator app shows.
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

// Credentials identify the player who signs in.
type Credentials struct {
	// Account is the account's name. Upper and lower case are equal.
	Account string
	// Password may be empty if a token is stored. Upper and lower case differ. It is used
	// if there is no token, if the token cannot be used (Session.TokenFault), and if the
	// server refuses the token.
	Password string
	// Code asks the player for the second factor. It may wait until its context ends. When
	// the session reconnects, it may be called again from the session's goroutine.
	Code func(ctx context.Context, factor Factor) (string, error)
}

// String returns a text for logs, without the password.
func (c Credentials) String() string { return "credentials of " + c.Account }

// GoString returns the same text as String.
func (c Credentials) GoString() string { return c.String() }

// Client is a connection to a login server, from which sessions are made.
type Client struct {
	o       Options
	address string

	mu    sync.Mutex
	first net.Conn // Dial's connection; nil once a Login uses it
}

// Dial connects to the login server at address, which is HOST or HOST:PORT (see
// ParseAddress). The first Login uses the connection.
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

// Login signs in, by token if there is one and by password otherwise, and waits for the
// first list of worlds. ctx limits Login and not the session. The error is a *RefusedError
// if the server refuses, and an *UpdateOffer if the client must be updated first. Login may
// be called again, also after an error; each call makes a session of its own.
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

// settle waits for the first list and, with Options.Remember, for the token.
func (s *Session) settle(ctx context.Context, l *login) error {
	bounded, cancel := context.WithTimeoutCause(ctx, s.o.Timeout, ErrTimeout)
	defer cancel()
	select {
	case <-s.listed:
	case <-s.done:
		if !s.isListed() {
			return s.err
		} // the session ended after the list: the caller sees that at the session
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

// take returns Dial's connection if it is not used yet; otherwise nil.
func (c *Client) take() net.Conn {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn := c.first
	c.first = nil
	return conn
}

// Close closes the connection if no Login has used it. It does not end sessions. Further
// calls do nothing.
func (c *Client) Close() error {
	if conn := c.take(); conn != nil {
		return conn.Close()
	}
	return nil
}
