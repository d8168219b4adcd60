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

// acceptPause is how long a reactor sleeps after a failed accept. The connection still waits
// in the kernel, so without a pause the reactor would try again at once and use a whole core.
// The pause is short because the reactor serves no client meanwhile.
const acceptPause = 2 * time.Millisecond

// acceptFailingFor is how long after the last failed accept the server counts as
// unable to accept: while clients wait, each reactor fails every few milliseconds.
const acceptFailingFor = time.Second

// acceptWord is the beginning of gnet's log message about a failed accept.
const acceptWord = "Accept() failed"

// acceptFailed replaces gnet's error of a failed accept. Its slice makes it incomparable, so
// errors.Is does not find it.
type acceptFailed struct{ _ []byte }

func (acceptFailed) Error() string { return "gnet: accept failed" }

// surviveAccept makes gnet's event loops continue after a failed accept. gnet 2.10.0 ends its
// whole engine, with every session, when accept returns EMFILE, ENFILE or ENOMEM: a loop ends
// when errors.Is finds ErrAcceptSocket in the accept's error. errors.Is does not find an error
// that is not comparable. The change is made once for the process, before any loop runs.
var surviveAccept = sync.OnceFunc(func() { gneterrors.ErrAcceptSocket = acceptFailed{} })

// acceptWatch records failed accepts.
type acceptWatch struct {
	failures atomic.Uint64
	last     atomic.Int64 // the last failure, by deadline.Now; 0 for none
	failing  atomic.Bool  // a failure was logged, and its end was not
	since    atomic.Int64 // the first logged failure, by deadline.Now
}

// failed records an accept that failed with cause, and sleeps for acceptPause. It logs once
// until accepting works again. Reactor.
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

// worked records an accept that worked. It reports the end of the failures only when no accept
// has failed for a while: at the limit of descriptors, accepts work and fail by turns.
// Reactor.
func (w *acceptWatch) worked(log *slog.Logger) {
	if w.failing.Load() && !w.now() && w.failing.CompareAndSwap(true, false) {
		spent := deadline.Now() - time.Duration(w.since.Load())
		log.Warn("connections are accepted again", "after", spent.Round(time.Millisecond).String(), "failures", w.failures.Load())
	}
}

// now returns whether accepts fail at this moment. Any goroutine.
func (w *acceptWatch) now() bool {
	last := w.last.Load()
	return last != 0 && deadline.Now()-time.Duration(last) < acceptFailingFor
}

// isAccept returns whether a log message of gnet is about a failed accept.
func isAccept(format string) bool { return strings.HasPrefix(format, acceptWord) }
