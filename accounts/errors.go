package accounts

import (
	"errors"
	"fmt"
	"strings"

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
	// ErrServerClosing: the server shuts down; what was acknowledged is stored.
	ErrServerClosing = errors.New("accounts: the server is shutting down")
	// ErrServerBusy: the server serves as many clients as it can.
	ErrServerBusy = errors.New("accounts: the server serves too many account commands at once, try again")
	// ErrDisconnected: the connection to the server broke; the request under way
	// may or may not be stored.
	ErrDisconnected = errors.New("accounts: the connection to the server broke")
	// ErrProtocol: the other side of the socket speaks another version.
	ErrProtocol = errors.New("accounts: the server does not understand this command, are both of one version?")
	// ErrServerSlow: the server's store did not answer in time.
	ErrServerSlow = errors.New("accounts: the server's store did not answer in time; a change may or may not be stored")
	// ErrServerFault: the server met an error that it does not tell here.
	ErrServerFault = errors.New("accounts: the server met an error; its log says which")
	// ErrTooLarge: one account is too large for the socket.
	ErrTooLarge = errors.New("accounts: the account is too large for the control socket")
)

// FieldError says which field of a request is wrong and how to mend it. It
// never holds the value of a secret field.
type FieldError struct {
	Field, Problem string
	cause          error
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Unwrap gives the cause, for errors.Is.
func (e *FieldError) Unwrap() error { return e.cause }

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

// DamagedBansError names bans of addresses that are stored and cannot be read. They
// do not hold.
type DamagedBansError struct {
	// Bans names each: its range, or where it is, and what is wrong with it.
	Bans []string
}

func (e *DamagedBansError) Error() string {
	return fmt.Sprintf("%d address bans cannot be read and do not hold; lift each by its range ('account unban --address') and set it again: %s",
		len(e.Bans), strings.Join(e.Bans, "; "))
}

// subjectError puts the account or address before what storage says of it.
type subjectError struct {
	text  string
	cause error
}

func (e *subjectError) Error() string { return e.text }
func (e *subjectError) Unwrap() error { return e.cause }

// aboutAccount words a storage error for the person who asked about name.
func aboutAccount(name storage.Name, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, storage.ErrNotFound):
		return &subjectError{fmt.Sprintf("there is no account %s", name), err}
	case errors.Is(err, storage.ErrNotBanned):
		return &subjectError{fmt.Sprintf("account %s is not banned", name), err}
	case errors.Is(err, storage.ErrExists):
		return &subjectError{fmt.Sprintf("account %s is there already", name), err}
	}
	return &subjectError{fmt.Sprintf("account %s: %v", name, err), err}
}
