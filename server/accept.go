package server

import (
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gneterrors "github.com/panjf2000/gnet/v2/pkg/errors"

	"gatepass/deadline"
)

// acceptPause is how long a reactor rests after an accept that failed. The
// connection still waits in the kernel, so without a rest the reactor would try
// again at once and use a whole core. It is short because the reactor serves no
// client while it rests.
const acceptPause = 2 * time.Millisecond

// acceptFailingFor is how long after the last failed accept the server counts as
// unable to accept: while clients wait, each reactor fails every few milliseconds.
const acceptFailingFor = time.Second

// acceptWord is how gnet's message of a failed accept begins.
const acceptWord = "Accept() failed"

// acceptFailed takes the place of gnet's error of a failed accept. A slice in it
// makes it incomparable, so that errors.Is does not find it in itself.
type acceptFailed struct{ _ []byte }

func (acceptFailed) Error() string { return "gnet: accept failed" }

// surviveAccept has gnet's event loops go on after an accept that failed. gnet
// 2.10.0 ends its whole engine, with every session, when accept says EMFILE, ENFILE
// or ENOMEM: a loop ends when errors.Is finds ErrAcceptSocket in what the accept
// returned. It does not find an error that is not comparable. The change is made
// once for the process, before any loop runs.
var surviveAccept = sync.OnceFunc(func() { gneterrors.ErrAcceptSocket = acceptFailed{} })

// acceptWatch follows accepts that fail.
type acceptWatch struct {
	failures atomic.Uint64
	last     atomic.Int64 // the last failure, by deadline.Now; 0 for none
	failing  atomic.Bool  // it was said that accepting fails, and not yet that it works again
	since    atomic.Int64 // the first failure that was said, by deadline.Now
}

// failed notes that an accept failed with cause, says so once until accepting works
// again, and rests. Reactor.
func (w *acceptWatch) failed(log *slog.Logger, cause any) {
	w.failures.Add(1)
	now := int64(deadline.Now())
	w.last.Store(now)
	if w.failing.CompareAndSwap(false, true) {
		w.since.Store(now)
		log.Error("connections cannot be accepted; clients wait until they can", "error", cause)
	}
	time.Sleep(acceptPause)
}

// worked notes that an accept worked. That ends the trouble only when none has failed
// for a while: at the limit of descriptors accepts work and fail in turn. Reactor.
func (w *acceptWatch) worked(log *slog.Logger) {
	if w.failing.Load() && !w.now() && w.failing.CompareAndSwap(true, false) {
		spent := deadline.Now() - time.Duration(w.since.Load())
		log.Warn("connections are accepted again", "after", spent.Round(time.Millisecond).String(), "failures", w.failures.Load())
	}
}

// now tells whether accepts fail at this moment. Any goroutine.
func (w *acceptWatch) now() bool {
	last := w.last.Load()
	return last != 0 && deadline.Now()-time.Duration(last) < acceptFailingFor
}

// isAccept tells whether a message of gnet is about a failed accept.
func isAccept(format string) bool { return strings.HasPrefix(format, acceptWord) }
