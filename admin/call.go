package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"

	"gatepass/storage"
)

// call is one command on its way through the server, owned by its goroutine.
type call struct {
	*handler
	w      http.ResponseWriter
	logger *slog.Logger
	begun  bool // the status is sent
	sent   int  // bytes of result so far
}

// carryOut reads the request, runs the command and sends its result. The result is a
// stream of JSON objects, one a line. An error is the object {"error": WORD}, which is
// the last one.
func (c *call) carryOut(r *http.Request, what command) {
	if !c.may.Has(what.info().May) {
		c.logger.Warn("account control: refused a command", "command", what.info().Audit, "error", ErrForbidden)
		c.fail(ErrForbidden)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(c.w, r.Body, maxRequest))
	switch tooLong := (*http.MaxBytesError)(nil); {
	case errors.As(err, &tooLong):
		c.logger.Warn("account control: request too long")
		c.fail(ErrTooLarge)
		return
	case err != nil && c.closing.Load():
		c.fail(ErrServerClosing)
		return
	case err != nil:
		panic(http.ErrAbortHandler) // the client has gone
	}
	err = what.run(r.Context(), c, body)
	refused := refusal{}
	switch {
	case err == nil:
		c.begin()
	case errors.As(err, &refused):
		c.logger.Warn("account control: refused a request", "error", refused.cause)
		c.failWith(refused.word(), http.StatusBadRequest)
	case errors.Is(err, errClientGone):
		panic(http.ErrAbortHandler)
	default:
		c.fail(err)
	}
}

// errClientGone: the reply cannot be sent.
var errClientGone = errors.New("admin: the client has gone")

// refusal is the fault of a request that was not carried out.
type refusal struct{ cause error }

func refuse(cause error) error  { return refusal{cause} }
func (r refusal) Error() string { return r.cause.Error() }
func (r refusal) Unwrap() error { return r.cause }
func (r refusal) word() string {
	if errors.Is(r.cause, ErrProtocol) || errors.Is(r.cause, ErrForbidden) {
		return errorWord(r.cause)
	}
	return wordInvalid
}

// begin sends the status of a command that has not failed.
func (c *call) begin() {
	if !c.begun {
		c.begun = true
		c.w.Header().Set("Content-Type", ndjson)
		c.w.WriteHeader(http.StatusOK)
	}
}

const ndjson = "application/x-ndjson"

// tell sends one object of the result. more is false once the result is so long that a
// list should be cut.
func (c *call) tell(object any) (more bool, err error) {
	line, err := json.Marshal(object)
	if err != nil {
		return false, fmt.Errorf("admin: %w", err)
	}
	c.begin()
	if _, err := c.w.Write(append(line, '\n')); err != nil {
		return false, errClientGone
	}
	c.sent += len(line)
	return c.sent < maxRequest, nil
}

// fail ends a command with an error.
func (c *call) fail(err error) { word := errorWord(err); c.failWith(word, statusOf(word)) }

func (c *call) failWith(word string, status int) {
	if !c.begun {
		c.w.Header().Set("Content-Type", ndjson)
		if status == http.StatusServiceUnavailable { // the place is for another client
			c.w.Header().Set("Connection", "close")
		}
		c.w.WriteHeader(status)
	}
	_ = json.NewEncoder(c.w).Encode(failure{word}) // a client that has gone needs no reply
}

// failure is a reply that is an error.
type failure struct {
	Error string `json:"error"`
}

// operate runs ops and logs what came of them.
func (c *call) operate(ctx context.Context, ops ...storage.Op) ([]storage.Result, error) {
	if c.services.Accounts == nil {
		return nil, ErrProtocol
	}
	// A client that goes away does not cut a batch in the middle: what the store has
	// begun it finishes.
	results, err := c.services.Accounts.Do(context.WithoutCancel(ctx), ops...)
	if err != nil {
		c.logger.Error("account control: the store failed", "error", err)
		return nil, err
	}
	c.audit(ops, results)
	c.logFault(ops, results)
	return results, nil
}

// audit logs changes, so that an operator can find who did what; reads are not logged. A
// batch of several accounts is one line: an import has as many accounts as a server has
// logins in an hour.
func (c *call) audit(ops []storage.Op, results []storage.Result) {
	if sameAccount(ops) {
		for i := range ops {
			c.auditOne(&ops[i], results[i].Err)
		}
		return
	}
	counts := make(map[string]int)
	for i := range ops {
		if info := c.table.byKind[ops[i].Kind].info(); info.Changes && results[i].Err == nil {
			counts[info.Audit]++
		}
	}
	for audit, n := range counts {
		c.logger.Info("accounts changed", "change", audit, "accounts", n)
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

func (c *call) auditOne(op *storage.Op, err error) {
	info := c.table.byKind[op.Kind].info()
	switch {
	case !info.Changes || err != nil:
	case op.Prefix.IsValid():
		c.logger.Info("address bans changed", "change", info.Audit, "address", op.Prefix.String())
	default:
		c.logger.Info("account changed", "change", info.Audit, "account", op.Name.String())
	}
}

// logFault logs the first result of a batch that tells of the server's store and not of
// the request: the client is told no more than a word.
func (c *call) logFault(ops []storage.Op, results []storage.Result) {
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
	word := errorWord(err)
	return statusOf(word) == http.StatusInternalServerError
}
