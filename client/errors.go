package client

import (
	"errors"
	"fmt"
	"time"

	"gatepass/codec"
)

// What is wrong with what the caller gave.
var (
	// ErrAccount: an account's name has 1 to 16 printable ASCII characters.
	ErrAccount = errors.New("client: account name must be 1 to 16 printable ASCII characters")
	// ErrAddress: an address is HOST or HOST:PORT.
	ErrAddress = errors.New("client: an address is HOST or HOST:PORT")
	// ErrNoCredentials: there is neither a token for the account nor a password.
	ErrNoCredentials = errors.New("client: neither a token nor a password")
	// ErrNoCode: the server wants a second factor, and Credentials.Code is not set or
	// failed; its error is wrapped too.
	ErrNoCode = errors.New("client: no second factor")
	// ErrNoTokens: there is no Options.Tokens, or the server remembers no devices.
	ErrNoTokens = errors.New("client: devices are not remembered here")
	// ErrWorld: worlds have ids from 1 to 255.
	ErrWorld = errors.New("client: a world's id is 1 to 255")
	// ErrBody: the packet's body is longer than MaxBody.
	ErrBody = errors.New("client: the packet's body is too long")
)

// What is wrong with the peer. After ErrServerProof and ErrKDF a session does not try
// again.
var (
	// ErrServerProof: the server or the gate could not prove that it knows what only
	// the right one knows, or asks for the password in another way than the one before.
	// Somebody may stand between; or the password was changed while the session was
	// away.
	ErrServerProof = errors.New("client: the server could not prove itself")
	// ErrKDF: the server asks for a weaker derivation of the password than is safe,
	// for more memory than Options.MaxKDF, or for more than 1 GiB of it in all passes.
	ErrKDF = errors.New("client: the server asks for a derivation of the password that is out of bounds")
	// ErrProtocol: what came was no message, was changed, or made no sense then.
	ErrProtocol = errors.New("client: the peer broke the protocol")
	// ErrLost: the connection broke; the network's error is wrapped too.
	ErrLost = errors.New("client: connection lost")
	// ErrTimeout: the peer did not answer within Options.Timeout.
	ErrTimeout = errors.New("client: the peer did not answer in time")
	// ErrUnheard: nothing came from the peer for two pings, nor could be sent to it.
	ErrUnheard = errors.New("client: the peer is not heard any more")
)

// How the download of an update ended, beside the context's end, an *UpdateError and an
// *UpdateFileError.
var (
	// ErrUpdateBroken: the connection ended before the file was whole, and what is there
	// of it is good: another Login gets the offer again, whose Download goes on from
	// there. The reason is wrapped too.
	ErrUpdateBroken = errors.New("client: the download broke off and can be resumed")
	// ErrUpdateData: what came is not what the offer says. Only what is right was kept.
	ErrUpdateData = errors.New("client: the update's data is not what was offered")
	// ErrOfferOver: the player thought longer than the server waits, so there is nothing to
	// be had on that connection any more. It comes with ErrUpdateBroken.
	ErrOfferOver = errors.New("client: the offer is over: it was not answered in time")
	// ErrNotWanted: the server lets this build in meanwhile.
	ErrNotWanted = errors.New("client: no update is wanted any more")
)

// Where the session or the connection is.
var (
	// ErrClosed: Close was called.
	ErrClosed = errors.New("client: closed")
	// ErrAway: the connection to the login server is being made anew; try again after
	// the event Reconnected.
	ErrAway = errors.New("client: not connected just now")
	// ErrAnotherPick: a later Select or Release came before this one was answered.
	ErrAnotherPick = errors.New("client: another world was picked")
)

// RefusedError is the server's or the gate's no, or why it ended the connection.
// It is the sentinel of its Result to errors.Is: errors.Is(err, ErrBanned).
type RefusedError struct {
	// Result is the peer's reason.
	Result codec.Result
	// RetryAfter is when to try again, 0 where the server does not say. It is at most an
	// hour, and a minute where the server has not proven itself.
	RetryAfter time.Duration
}

// The sentinels of RefusedError, one for each Result that it may have.
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

// Is compares the Result alone.
func (e *RefusedError) Is(target error) bool {
	other, ok := target.(*RefusedError)
	return ok && other.Result == e.Result
}

// UpdateError is the server's word that there will be no more of an update's file. It is
// the sentinel of its Reason to errors.Is.
type UpdateError struct {
	// Reason is never codec.TransferDone.
	Reason codec.TransferEnd
}

// The sentinels of UpdateError.
var (
	// ErrUpdateOffset: the server's file is shorter than what this client has of it.
	ErrUpdateOffset = &UpdateError{codec.TransferOffset}
	// ErrUpdateChanged: the file is not any more what was offered. What there is of it
	// is checked against the next offer, as always.
	ErrUpdateChanged = &UpdateError{codec.TransferChanged}
	// ErrUpdateFault: the server could not read the file; come back later.
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

// Is compares the Reason.
func (e *UpdateError) Is(target error) bool {
	other, ok := target.(*UpdateError)
	return ok && other.Reason == e.Reason
}

// UpdateFileError says what is wrong with a file or the folder of an update on this
// side: no room, no rights, something in the way, another program at it.
type UpdateFileError struct {
	Path string
	Err  error
}

func (e *UpdateFileError) Error() string { return fmt.Sprintf("client: %s: %v", e.Path, e.Err) }
func (e *UpdateFileError) Unwrap() error { return e.Err }

// The reasons of an UpdateFileError that no file system has.
var (
	// ErrInTheWay: something else has the name already. It is never overwritten.
	ErrInTheWay = errors.New("something else is in the way; move it or take another folder")
	// ErrNoRoom: the file system has less free than is missing of the file. Where it cannot
	// be asked, writing finds out.
	ErrNoRoom = errors.New("there is no room for it")
	// ErrUpdateHeld: another program downloads the file.
	ErrUpdateHeld = errors.New("another program is at it")
	// ErrFileName: a file's name is no path, and none that some systems keep for devices.
	ErrFileName = errors.New("is no plain file name")
)

// TokenError says why the device's token cannot be used, though the server was not
// asked: it cannot be read, is damaged, held by another program, or what is to follow
// it cannot be saved.
type TokenError struct{ Err error }

func (e *TokenError) Error() string {
	return fmt.Sprintf("client: the device's token cannot be used: %v", e.Err)
}
func (e *TokenError) Unwrap() error { return e.Err }

// SelectError says why there is no pass. Nothing else has changed.
type SelectError struct {
	World  uint8
	Reason codec.SelectReason
	// Alternatives are worlds that would take this client now, the emptiest first.
	Alternatives []uint8
}

func (e *SelectError) Error() string {
	return fmt.Sprintf("client: no pass for world %d: %v", e.World, e.Reason)
}
