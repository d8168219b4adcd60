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

// Dialer opens connections. *net.Dialer implements it. The context limits only the
// dialling.
type Dialer interface {
	DialContext(ctx context.Context, network, address string) (net.Conn, error)
}

// Backoff limits the waits between attempts to reconnect. The n-th wait is random, between
// zero and the smaller of Min·2ⁿ and Max.
type Backoff struct {
	// Min is the bound of the first wait; default 1 s.
	Min time.Duration
	// Max is the largest bound; default 1 minute.
	Max time.Duration
}

// bound returns the largest wait after so many attempts.
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

// Options configures a client.
type Options struct {
	// Build is the number of the client's build, 1 to 65535. The game chooses it. It must be
	// set.
	Build uint16
	// Platform, System and Locale are tags of at most 4 bytes, such as "x64", "Win"
	// and "enUS"; default none.
	Platform, System, Locale string
	// TakesUpdates says that the caller handles an *UpdateOffer as the error of Login;
	// default false: such a Login fails with ErrUpdate.
	TakesUpdates bool
	// Tokens stores the tokens of remembered devices; default nil: no device is remembered.
	Tokens TokenStore
	// Remember requests a token after each sign-in by password, if Tokens is set and the
	// server remembers devices. A failure is only logged; Session.Remember returns it as an
	// error.
	Remember bool
	// DeviceName is the player's name for this device. It is cut after 64 bytes; default
	// none.
	DeviceName string
	// Dialer opens connections, also to gates. Several goroutines may call it at once;
	// default a net.Dialer.
	Dialer Dialer
	// Random is the source of nonces, secrets and jitter. Several goroutines may read it at
	// once; default crypto/rand.
	Random io.Reader
	// Logger receives lost connections and failed saves; default none.
	Logger *slog.Logger
	// Backoff limits the waits between attempts to reconnect.
	Backoff Backoff
	// Timeout limits each step that waits for the server, such as dialling, one sign-in
	// (without the time for typing a code) or one answer; default 15 s.
	Timeout time.Duration
	// MaxKDF is how much memory the server may ask this client to use for a password, in
	// bytes; default 256 MiB, which is also the maximum. In addition, memory times passes is
	// 1 GiB at most. A sign-in that needs more fails with ErrKDF.
	MaxKDF int64
}

// The defaults and limits of Options.
const (
	defaultBackoffMin = time.Second
	defaultBackoffMax = time.Minute
	defaultTimeout    = 15 * time.Second
	defaultMaxKDF     = 256 << 20
	maxTag            = 4
)

// EnsureDefaults replaces zero values by their defaults.
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

// setDefault sets *v to the value to if it is zero.
func setDefault[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}

// Validate returns an error that names every fault.
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
