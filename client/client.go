package client

import (
	"context"
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
	// there is no token, or when the server does not take it any more.
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
type Client struct{}

// Dial connects to the login server at address (host:port). The connection is used
// by the first Login.
func Dial(ctx context.Context, address string, o Options) (*Client, error) {
	return nil, ErrClosed
}

// Login signs in: by token when there is one, else by password. A *RefusedError is
// the server's no. It may be called again, after a failure too; each session is one
// of its own.
func (c *Client) Login(ctx context.Context, who Credentials) (*Session, error) {
	return nil, ErrClosed
}

// Close gives up the connection if no Login has used it. Sessions stay.
func (c *Client) Close() error { return nil }
