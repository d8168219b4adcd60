package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"syscall"
	"time"

	"gatepass/client"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/codec"
)

// exitRefused is the exit code if the server refused.
const exitRefused = 3

var (
	errInterrupted = errors.New("interrupted")
	errNoPass      = errors.New("no world is picked; select one first")
	errUnderWay    = errors.New("you are in, or on the way, already")
	errDownloading = errors.New("an update is being downloaded; quit ends that")
	errNoOffer     = errors.New("no update is offered")
	errNoWish      = errors.New("no code is wanted")
)

// playerError is a failure with a text for a player. It wraps the cause for errors.Is,
// but its text does not contain the cause.
type playerError struct {
	text  string
	code  int
	cause error
}

func (e *playerError) Error() string { return e.text }
func (e *playerError) Unwrap() error { return e.cause }
func (e *playerError) ExitCode() int { return e.code }

// reason returns the short reason for programs.
func (e *playerError) reason() string {
	var refused *client.RefusedError
	var choice *client.SelectError
	var update *client.UpdateError
	switch {
	case errors.Is(e.cause, context.Canceled):
		return "interrupted"
	case errors.As(e.cause, &refused):
		return refused.Result.String()
	case errors.As(e.cause, &update):
		return "update-" + update.Reason.String()
	case errors.Is(e.cause, client.ErrUpdateData):
		return "update-data"
	case errors.As(e.cause, new(*client.UpdateFileError)):
		return "file"
	case errors.As(e.cause, &choice):
		return choice.Reason.String()
	case errors.Is(e.cause, client.ErrServerProof):
		return "server-proof"
	case isUnreachable(e.cause):
		return "unreachable"
	case isLost(e.cause), errors.Is(e.cause, client.ErrUnheard), errors.Is(e.cause, client.ErrTimeout):
		return "lost"
	}
	return "failed"
}

// explained returns the text for any failure of a session.
func explained(err error, address string, build uint16) *playerError {
	var known *playerError
	if errors.As(err, &known) {
		return known
	}
	e := &playerError{code: 1, cause: err}
	var refused *client.RefusedError
	var usage exit.UsageError
	switch {
	case errors.Is(err, client.ErrOfferOver):
		e.text = withoutPackage(client.ErrOfferOver)
	case errors.As(err, &refused):
		e.text, e.code = refusal(refused, build), exitRefused
	case errors.As(err, &usage):
		e.text, e.code = withoutPackage(err), usage.ExitCode()
	case errors.Is(err, client.ErrAccount):
		e.text, e.code = withoutPackage(err), usage.ExitCode()
	case errors.Is(err, context.Canceled):
		e.text, e.code = errInterrupted.Error(), exit.CodeInterrupted
	case isUnreachable(err):
		e.text = fmt.Sprintf("cannot reach %s (%s)", address, networkReason(err))
	default:
		e.text = inPlainWords(err)
	}
	return e
}

// inPlainWords returns the text for failures of this client or of a dishonest peer.
func inPlainWords(err error) string {
	var choice *client.SelectError
	switch {
	case errors.As(err, &choice):
		return selectRefusal(choice.Reason)
	case errors.Is(err, client.ErrUpdateData), errors.As(err, new(*client.UpdateFileError)), errors.As(err, new(*client.UpdateError)):
		return withoutPackage(err)
	case errors.Is(err, client.ErrNotWanted):
		return "no update is wanted any more; start again"
	case errors.Is(err, client.ErrServerProof):
		return "the other side could not prove that it is the right one. Somebody may stand between: do not type the password again before you know why"
	case errors.Is(err, client.ErrKDF):
		return "the server asks for a weaker or heavier treatment of the password than this client takes"
	case errors.Is(err, client.ErrProtocol):
		return "what answers there does not speak the native protocol, or what it said was changed on the way"
	case errors.Is(err, client.ErrUnheard):
		return "nothing is heard of the other side any more"
	case errors.Is(err, client.ErrClosed):
		return "the connection is closed"
	case errors.Is(err, client.ErrAway):
		return "not connected just now; try again in a moment"
	case errors.Is(err, client.ErrNoTokens):
		return "this server remembers no devices"
	case errors.Is(err, client.ErrTimeout):
		return "there was no answer in time"
	case isLost(err):
		return "the connection was lost"
	}
	return withoutPackage(err)
}

func withoutPackage(err error) string { return strings.ReplaceAll(err.Error(), "client: ", "") }

func isUnreachable(err error) bool {
	var op *net.OpError
	return errors.As(err, &op) && op.Op == "dial"
}

func isLost(err error) bool {
	var op *net.OpError
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &op)
}

// networkReason returns the innermost cause, without repeated addresses.
func networkReason(err error) string {
	var number syscall.Errno
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &number):
		return number.Error()
	case errors.As(err, &dns):
		return dns.Err
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no answer in time"
	}
	return "no connection"
}

func refusal(e *client.RefusedError, build uint16) string {
	text := refusalText(e.Result)
	if e.Result == codec.ResultVersionInvalid || e.Result == codec.ResultVersionUpdate {
		text = fmt.Sprintf("%s (this is build %d; --build names another)", text, build)
	}
	if e.RetryAfter > 0 {
		text = fmt.Sprintf("%s; try again in %v", text, e.RetryAfter.Round(time.Second))
	}
	return text
}

func refusalText(r codec.Result) string {
	switch r {
	case codec.ResultBadCredentials:
		return "account name, password or code is wrong"
	case codec.ResultBanned:
		return "this account is banned"
	case codec.ResultSuspended:
		return "this account is suspended for a time"
	case codec.ResultLocked:
		return "this account is locked, to an address or altogether"
	case codec.ResultAlreadyOnline:
		return "this account is in use already"
	case codec.ResultVersionInvalid:
		return "the server does not take this version of the game"
	case codec.ResultVersionUpdate:
		return "the game must be updated first; who signs in anew is offered the update"
	case codec.ResultBusy:
		return "the server is busy"
	case codec.ResultNoAccess:
		return "nobody is let in from this address"
	}
	return farewellText(r)
}

// farewellText returns why an established connection was ended.
func farewellText(r codec.Result) string {
	switch r {
	case codec.ResultReplaced:
		return "the account has signed in from somewhere else"
	case codec.ResultKicked:
		return "an operator has sent you away"
	case codec.ResultIdle:
		return "the server has heard nothing for too long"
	case codec.ResultProtocol:
		return "the server did not understand this client"
	case codec.ResultGoingAway:
		return "the server goes away"
	case codec.ResultBadPass:
		return "the world does not take the pass: it is over or was used"
	case codec.ResultFull:
		return "the world has no room, not even in its queue"
	}
	return "the server refused: " + r.String()
}

func selectRefusal(r codec.SelectReason) string {
	switch r {
	case codec.SelectUnknown:
		return "there is no such world"
	case codec.SelectOffline:
		return "the world is not there just now"
	case codec.SelectMismatch:
		return "the world takes no native clients, or not this version of the game"
	case codec.SelectFull:
		return "the world's queue is full, or it lets nobody in any more"
	case codec.SelectTimeout:
		return "the world did not answer"
	case codec.SelectBusy:
		return "an earlier pick is not settled yet; try again in a moment"
	case codec.SelectExpired:
		return "the pass was not used in time"
	}
	return "the world cannot be picked: " + r.String()
}

// alternatives returns worlds to try instead. They are int, because JSON writes bytes
// as text.
func alternatives(err error) (ids []int) {
	var choice *client.SelectError
	if errors.As(err, &choice) {
		for _, id := range choice.Alternatives {
			ids = append(ids, int(id))
		}
	}
	return ids
}
