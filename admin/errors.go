package admin

import (
	"errors"
	"fmt"

	"gatepass/storage"
)

// Errors of opening an account store.
var (
	// ErrNoData: the data folder, or the account store in it, does not exist.
	ErrNoData = errors.New("no accounts there")
	// ErrInUse: another process holds the store and does not answer on the
	// control socket.
	ErrInUse = errors.New("in use by another process")
)

// Errors of the control socket.
var (
	// ErrServerClosing: the server shuts down; what was acknowledged is stored. It is a
	// storage.ErrClosed.
	ErrServerClosing error = &wordedError{"admin: the server is shutting down", storage.ErrClosed}
	// ErrServerBusy: the server serves as many clients as it can.
	ErrServerBusy = errors.New("admin: the server serves too many commands at once, try again")
	// ErrDisconnected: the connection to the server broke; the command under way
	// may or may not be carried out.
	ErrDisconnected = errors.New("admin: the connection to the server broke")
	// ErrProtocol: the other side of the socket is of another version.
	ErrProtocol = errors.New("admin: the server does not understand this command, are both of one version?")
	// ErrForbidden: the operator does not have the command's permission.
	ErrForbidden = errors.New("admin: this operator may not give this command")
	// ErrServerSlow: the server's store did not answer in time.
	ErrServerSlow = errors.New("admin: the server's store did not answer in time; a change may or may not be stored")
	// ErrServerFault: the server met an error that it does not tell here.
	ErrServerFault = errors.New("admin: the server met an error; its log says which")
	// ErrTooLarge: one request is too large for the socket.
	ErrTooLarge = errors.New("admin: the account is too large for the control socket")
)

// wordedError is a cause in other words.
type wordedError struct {
	text  string
	cause error
}

func (e *wordedError) Error() string { return e.text }
func (e *wordedError) Unwrap() error { return e.cause }

// RefusedError says why the server's store takes no changes just now. It is a
// storage.ErrFailed.
type RefusedError struct {
	// Reason is what the disk says, such as "no space left on device".
	Reason string
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("the server's disk takes no changes: %s; it goes on by itself once that is mended", e.Reason)
}

// Unwrap makes it a storage.ErrFailed.
func (*RefusedError) Unwrap() error { return storage.ErrFailed }

// UnreadError says that the server's store cannot be read just now. It is a
// storage.ErrReadFailed.
type UnreadError struct {
	// Reason is what the disk says, such as "input/output error"; empty where that is
	// not known.
	Reason string
}

func (e *UnreadError) Error() string {
	if e.Reason == "" {
		return "the server cannot read its account store; its log says why"
	}
	return fmt.Sprintf("the server cannot read its account store: %s; its log says more", e.Reason)
}

// Unwrap makes it a storage.ErrReadFailed.
func (*UnreadError) Unwrap() error { return storage.ErrReadFailed }
