package accounts

import (
	"errors"
	"fmt"
	"strings"

	"gatepass/storage"
)

// FieldError says which field of a request is wrong and how to correct it. It never
// contains the value of a secret field.
type FieldError struct {
	Field, Problem string
	cause          error
}

func (e *FieldError) Error() string { return e.Field + ": " + e.Problem }

// Unwrap returns the cause, for errors.Is.
func (e *FieldError) Unwrap() error { return e.cause }

// DamagedBansError lists stored address bans that cannot be read. The server does not
// apply them.
type DamagedBansError struct {
	// Bans has one text for each ban: its range, or where it is stored, and what is
	// wrong.
	Bans []string
}

func (e *DamagedBansError) Error() string {
	return fmt.Sprintf("%d address bans cannot be read and do not hold; lift each by its range ('account unban --address') and set it again: %s",
		len(e.Bans), strings.Join(e.Bans, "; "))
}

// subjectError puts the account or address before the text of a storage error.
type subjectError struct {
	text  string
	cause error
}

func (e *subjectError) Error() string { return e.text }
func (e *subjectError) Unwrap() error { return e.cause }

// aboutAccount returns a storage error with the account's name, for the operator.
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
