package accounts

import (
	"errors"
	"fmt"
	"strings"

	"gatepass/storage"
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
