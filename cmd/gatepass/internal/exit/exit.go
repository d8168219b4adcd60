// Package exit has the errors that say how gatepass ends: with which exit code, and
// whether the reason is written as text or as a line of a JSON log. Every other package
// of the command may return them; main alone reads them and exits.
package exit

import (
	"context"
	"errors"
)

// The exit codes that several commands share. 0 is success and 1 is any other failure.
const (
	// CodeUsage: the command line or the configuration makes no sense.
	CodeUsage = 2
	// CodeInterrupted: a signal stopped the command.
	CodeInterrupted = 130
)

// UsageError is a fault of the command line or of the configuration.
type UsageError struct{ error }

// Usage returns err as a UsageError.
func Usage(err error) error { return UsageError{err} }

// ExitCode returns what main exits with.
func (UsageError) ExitCode() int { return CodeUsage }

// CodedError is a failure with an exit code of its own.
type CodedError struct {
	code int
	err  error
}

// WithCode returns err with an exit code of its own.
func WithCode(code int, err error) error { return &CodedError{code, err} }

func (e *CodedError) Error() string { return e.err.Error() }

// Unwrap returns the failure itself.
func (e *CodedError) Unwrap() error { return e.err }

// ExitCode returns what main exits with.
func (e *CodedError) ExitCode() int { return e.code }

// Interrupted returns err with CodeInterrupted if a signal has ended ctx and err is the
// consequence. Other errors, and those that have a code already, are returned as they are.
func Interrupted(ctx context.Context, err error) error {
	var coded *CodedError
	if err == nil || ctx.Err() == nil || !errors.Is(err, context.Canceled) || errors.As(err, &coded) {
		return err
	}
	return WithCode(CodeInterrupted, errors.New("interrupted"))
}

// LoggedError is the end of a process whose log is JSON: main writes it as a line of
// that log.
type LoggedError struct{ error }

// Logged returns err as a LoggedError.
func Logged(err error) error { return LoggedError{err} }

// Unwrap returns the error itself.
func (e LoggedError) Unwrap() error { return e.error }
