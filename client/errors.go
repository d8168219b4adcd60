package client

import (
	"errors"
	"fmt"
	"time"

	"gatepass/codec"
)

// Errors in the caller's arguments.
var (
	// ErrAccount: an account's name has 1 to 16 printable ASCII characters.
	ErrAccount = errors.New("client: account name must be 1 to 16 printable ASCII characters")
	// ErrAddress: an address is HOST or HOST:PORT.
	ErrAddress = errors.New("client: an address is HOST or HOST:PORT")
	// ErrNoCredentials: there is neither a token for the account nor a password.
	ErrNoCredentials = errors.New("client: neither a token nor a password")
	// ErrNoCode: the server asks for a second factor, and Credentials.Code is not set or
	// has failed. Its error is wrapped too.
	ErrNoCode = errors.New("client: no second factor")
	// ErrNoTokens: Options.Tokens is not set, or the server does not remember devices.
	ErrNoTokens = errors.New("client: devices are not remembered here")
	// ErrWorld: worlds have ids from 1 to 255.
	ErrWorld = errors.New("client: a world's id is 1 to 255")
	// ErrBody: the packet's body is longer than MaxBody.
	ErrBody = errors.New("client: the packet's body is too long")
)

// Errors of the peer. After ErrServerProof and ErrKDF a session does not reconnect.
var (
	// ErrServerProof: the server's or the gate's proof is wrong, or the server asks for
	// another salt or cost of the password than before. An attacker may control the
	// connection, or the password was changed while the session was away.
	ErrServerProof = errors.New("client: the server could not prove itself")
	// ErrKDF: the server asks for a derivation of the password that is weaker than is safe,
	// needs more memory than Options.MaxKDF, or writes more than 1 GiB in all passes.
	ErrKDF = errors.New("client: the server asks for a derivation of the password that is out of bounds")
	// ErrProtocol: the peer sent a message that is invalid, was changed, or is not allowed
	// in this state.
	ErrProtocol = errors.New("client: the peer broke the protocol")
	// ErrLost: the connection was lost. The network's error is wrapped too.
	ErrLost = errors.New("client: connection lost")
	// ErrTimeout: the peer did not answer within Options.Timeout.
	ErrTimeout = errors.New("client: the peer did not answer in time")
	// ErrUnheard: the peer sent nothing for two ping intervals, or nothing could be sent to
	// it.
	ErrUnheard = errors.New("client: the peer is not heard any more")
)

// Errors of a download, in addition to the context's error, *UpdateError and
// *UpdateFileError.
var (
	// ErrUpdateBroken: the connection ended before the file was complete. What was received
	// is kept: another Login gets the offer again, and its Download continues. The reason is
	// wrapped too.
	ErrUpdateBroken = errors.New("client: the download broke off and can be resumed")
	// ErrUpdateData: the received data does not have the offer's hashes. Only the right
	// chunks are kept.
	ErrUpdateData = errors.New("client: the update's data is not what was offered")
	// ErrOfferOver: the offer was not accepted in the time that the server waits. It is
	// returned together with ErrUpdateBroken.
	ErrOfferOver = errors.New("client: the offer is over: it was not answered in time")
	// ErrNotWanted: the server now accepts this build without an update.
	ErrNotWanted = errors.New("client: no update is wanted any more")
)

// Errors about the state of the session or the connection.
var (
	// ErrClosed: Close was called.
	ErrClosed = errors.New("client: closed")
	// ErrAway: the session has no connection to the login server at the moment. Try again
	// after the event Reconnected.
	ErrAway = errors.New("client: not connected just now")
	// ErrAnotherPick: Select or Release was called again before this call was answered.
	ErrAnotherPick = errors.New("client: another world was picked")
)

// RefusedError says that the server or the gate refused, or why it ended the connection.
// errors.Is compares its Result: errors.Is(err, ErrBanned).
type RefusedError struct {
	// Result is the peer's reason.
	Result codec.Result
	// RetryAfter is the time after which to try again; 0 if the server gives none. It is at
	// most one hour, and at most one minute if the server has not proven itself.
	RetryAfter time.Duration
}

// The values of RefusedError for errors.Is, one for each Result.
var (
	ErrBadCredentials = &RefusedError{Result: codec.ResultBadCredentials}
	ErrBanned         = &RefusedError{Result: codec.ResultBanned}
	ErrSuspended      = &RefusedError{Result: codec.ResultSuspended}
	ErrLocked         = &RefusedError{Result: codec.ResultLocked}
	ErrAlreadyOnline  = &RefusedError{Result: codec.ResultAlreadyOnline}
	ErrVersion        = &RefusedError{Result: codec.ResultVersionInvalid}
	ErrUpdate         = &RefusedError{Result: codec.ResultVersionUpdate}
	ErrBusy           = &RefusedError{Result: codec.ResultBusy}
	ErrNoAccess       = &RefusedError{Result: codec.ResultNoAccess}
	ErrReplaced       = &RefusedError{Result: codec.ResultReplaced}
	ErrKicked         = &RefusedError{Result: codec.ResultKicked}
	ErrIdle           = &RefusedError{Result: codec.ResultIdle}
	ErrRejected       = &RefusedError{Result: codec.ResultProtocol}
	ErrGoingAway      = &RefusedError{Result: codec.ResultGoingAway}
	ErrBadPass        = &RefusedError{Result: codec.ResultBadPass}
	ErrFull           = &RefusedError{Result: codec.ResultFull}
)

func (e *RefusedError) Error() string {
	if e.RetryAfter > 0 {
		return fmt.Sprintf("client: refused: %v, try again in %v", e.Result, e.RetryAfter)
	}
	return fmt.Sprintf("client: refused: %v", e.Result)
}

// Is reports whether target is a RefusedError with the same Result.
func (e *RefusedError) Is(target error) bool {
	other, ok := target.(*RefusedError)
	return ok && other.Result == e.Result
}

// UpdateError says that the server will send no more of an update's file. errors.Is
// compares its Reason.
type UpdateError struct {
	// Reason is never codec.TransferDone.
	Reason codec.TransferEnd
}

// The values of UpdateError for errors.Is.
var (
	// ErrUpdateOffset: the server's file is shorter than what this client has received.
	ErrUpdateOffset = &UpdateError{codec.TransferOffset}
	// ErrUpdateChanged: the server's file has changed since the offer. What was received is
	// checked against the next offer.
	ErrUpdateChanged = &UpdateError{codec.TransferChanged}
	// ErrUpdateFault: the server could not read the file. Try again later.
	ErrUpdateFault = &UpdateError{codec.TransferFault}
)

func (e *UpdateError) Error() string { return "client: no more of the update: " + e.reason() }

func (e *UpdateError) reason() string {
	switch e.Reason {
	case codec.TransferOffset:
		return "the server's file is shorter than what is here of it"
	case codec.TransferChanged:
		return "the server's file was changed since it was offered"
	case codec.TransferFault:
		return "the server could not read it"
	}
	return e.Reason.String()
}

// Is reports whether target is an UpdateError with the same Reason.
func (e *UpdateError) Is(target error) bool {
	other, ok := target.(*UpdateError)
	return ok && other.Reason == e.Reason
}

// UpdateFileError is an error of a local file or folder of an update: no free space, no
// permission, another file with the name, or a file that another program uses.
type UpdateFileError struct {
	Path string
	Err  error
}

func (e *UpdateFileError) Error() string { return fmt.Sprintf("client: %s: %v", e.Path, e.Err) }
func (e *UpdateFileError) Unwrap() error { return e.Err }

// The reasons of an UpdateFileError that do not come from the file system.
var (
	// ErrInTheWay: another file has the name. It is never overwritten.
	ErrInTheWay = errors.New("something else is in the way; move it or take another folder")
	// ErrNoRoom: the file system has less free space than the file needs. If the free space
	// is not known, the error occurs when writing.
	ErrNoRoom = errors.New("there is no room for it")
	// ErrUpdateHeld: another program is downloading the file.
	ErrUpdateHeld = errors.New("another program is at it")
	// ErrFileName: the name is a path, or a name that some systems reserve for devices.
	ErrFileName = errors.New("is no plain file name")
)

// TokenError says why the device's token was not sent to the server: it cannot be read, is
// damaged, is locked by another program, or its successor cannot be saved.
type TokenError struct{ Err error }

func (e *TokenError) Error() string {
	return fmt.Sprintf("client: the device's token cannot be used: %v", e.Err)
}
func (e *TokenError) Unwrap() error { return e.Err }

// SelectError says why the server gave no pass. Nothing else has changed.
type SelectError struct {
	World  uint8
	Reason codec.SelectReason
	// Alternatives are worlds that would accept this client now, the emptiest first.
	Alternatives []uint8
}

func (e *SelectError) Error() string {
	return fmt.Sprintf("client: no pass for world %d: %v", e.World, e.Reason)
}
