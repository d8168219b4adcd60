package server

import (
	"fmt"
	"log/slog"
	"strings"
)

// staleWord is part of gnet's message about an event of a connection that is already closed,
// which the kernel had reported in the same round. That is normal when connections end while
// they still send, and a client can cause it at will.
const staleWord = "of a stale connection"

// gnetLogger passes gnet's log messages to our logger. gnet calls it on its event loops.
type gnetLogger struct {
	server *Server
	to     *slog.Logger
}

func (l gnetLogger) Debugf(f string, a ...any) { l.debug(f, a) }
func (l gnetLogger) Infof(f string, a ...any)  { l.debug(f, a) }

// Warnf counts stale events, which are normal, and logs the rest.
func (l gnetLogger) Warnf(f string, a ...any) {
	if strings.Contains(f, staleWord) {
		l.server.stale.Add(1)
		return
	}
	l.to.Warn("gnet: " + fmt.Sprintf(f, a...))
}

// Errorf handles a failed accept, which gnet reports only in the log, and logs everything
// else. Called on the reactor if it is about an accept.
func (l gnetLogger) Errorf(f string, a ...any) {
	if isAccept(f) {
		l.server.accepts.failed(l.to, fmt.Sprint(a...))
		return
	}
	l.to.Error("gnet: " + fmt.Sprintf(f, a...))
}

// Fatalf logs and does not end the process: only cmd may end it.
func (l gnetLogger) Fatalf(f string, a ...any) { l.to.Error("gnet: " + fmt.Sprintf(f, a...)) }

func (l gnetLogger) debug(f string, a []any) { l.to.Debug("gnet: " + fmt.Sprintf(f, a...)) }
