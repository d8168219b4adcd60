package retry

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/nats-io/nats.go"
)

// Passes reports whether an attempt to connect to a NATS server failed for a reason that
// passes by itself: the server is not there, does not answer, shuts down, or has no room.
func Passes(err error) bool {
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, nats.ErrNoServers) || errors.Is(err, nats.ErrTimeout) ||
		errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) {
		return true
	}
	// An error that the server sends before it closes the connection has no type.
	said := strings.ToLower(err.Error())
	for _, reason := range []string{
		nats.MAX_CONNECTIONS_ERR, nats.MAX_ACCOUNT_CONNECTIONS_ERR, "authentication timeout", "secure connection - tls handshake timeout",
		nats.STALE_CONNECTION, "server is shutting down", "server shutdown",
	} {
		if strings.Contains(said, reason) {
			return true
		}
	}
	return false
}
