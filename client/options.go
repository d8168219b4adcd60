package client

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"time"
)

// Dialer opens connections; a *net.Dialer is one. The context bounds the dialling
// only.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Backoff bounds the waits between tries to reconnect: the n-th is random, between
// nothing and Min·2ⁿ, at most Max.
type Backoff struct {
	// Min is the bound of the first wait; default 1 s.
	Min time.Duration
	// Max is the largest bound; default 1 minute.
	Max time.Duration
}

// bound is that of the wait behind so many tries.
func (b Backoff) bound(tries int) time.Duration {
	bound := b.Min
	for range tries {
		if bound >= b.Max/2 {
			return b.Max
		}
		bound *= 2
	}
	return bound
}

// Options say what the client is and what it works with.
type Options struct {
	// Build is what the client runs, 1 … 65535, a number of the game's own. It must
	// be set.
	Build uint16
	// Platform, System and Locale are tags of at most 4 bytes, such as "x64", "Win"
	// and "enUS"; default none.
	Platform, System, Locale string
	// TakesUpdates says that the caller deals with an *UpdateOffer as the error of
	// Login; default false: such a Login fails with ErrUpdate and no more.
	TakesUpdates bool
	// Tokens is where remembered devices are kept; default nil: nothing is remembered.
	Tokens TokenStore
	// Remember asks for a token after each sign-in by password, if Tokens is set and
	// the server remembers devices. Logger is told when that fails; who wants to know
	// why calls Session.Remember instead.
	Remember bool
	// DeviceName is what the player knows this device by, at most 64 bytes, cut
	// behind that; default none.
	DeviceName string
	// Dialer opens connections, to gates too, from several goroutines at once;
	// default a net.Dialer.
	Dialer Dialer
	// Random is where nonces, secrets and jitter come from, for several goroutines at
	// once; default crypto/rand.
	Random io.Reader
	// Logger is told of lost connections and failed saves; default none.
	Logger *slog.Logger
	// Backoff bounds the waits between tries to reconnect.
	Backoff Backoff
	// Timeout bounds each step that waits for the server, such as dialling, one
	// sign-in without the player's typing, one answer; default 15 s.
	Timeout time.Duration
	// MaxKDF is how much memory, in bytes, the server may ask this client to spend
	// on a password; default 256 MiB, which more does not raise. Memory times passes is
	// 1 GiB at most besides. A sign-in that wants more fails with ErrKDF.
	MaxKDF int64
}

// The defaults of Options, each with its reason there.
const (
	defaultBackoffMin = time.Second
	defaultBackoffMax = time.Minute
	defaultTimeout    = 15 * time.Second
	defaultMaxKDF     = 256 << 20
	maxTag            = 4
)

// EnsureDefaults fills in what is not set.
func (o *Options) EnsureDefaults() {
	if o.Dialer == nil {
		o.Dialer = &net.Dialer{}
	}
	if o.Random == nil {
		o.Random = rand.Reader
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	setDefault(&o.Backoff.Min, defaultBackoffMin)
	setDefault(&o.Backoff.Max, defaultBackoffMax)
	setDefault(&o.Timeout, defaultTimeout)
	setDefault(&o.MaxKDF, defaultMaxKDF)
}

func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Validate reports every fault at once.
func (o *Options) Validate() error {
	var faults []error
	complain := func(bad bool, format string, args ...any) {
		if bad {
			faults = append(faults, fmt.Errorf("client: "+format, args...))
		}
	}
	complain(o.Build == 0, "Build must be set")
	for name, tag := range map[string]string{"Platform": o.Platform, "System": o.System, "Locale": o.Locale} {
		complain(len(tag) > maxTag, "%s %q is longer than %d bytes", name, tag, maxTag)
	}
	complain(o.Backoff.Min < 0 || o.Backoff.Max < o.Backoff.Min, "Backoff %v … %v is no range", o.Backoff.Min, o.Backoff.Max)
	complain(o.Timeout < 0, "Timeout %v is negative", o.Timeout)
	complain(o.MaxKDF < 0, "MaxKDF %d is negative", o.MaxKDF)
	return errors.Join(faults...)
}
