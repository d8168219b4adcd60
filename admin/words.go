package admin

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"syscall"

	"gatepass/storage"
)

// Words for errors on the socket. A reply that is an error is the object {"error": WORD}.
const (
	wordNotFound  = "not_found"
	wordUnbanned  = "not_banned"
	wordExists    = "exists"
	wordClosing   = "closing"
	wordFailed    = "failed"
	wordInvalid   = "invalid"
	wordCorrupt   = "corrupt"
	wordBusy      = "busy"
	wordProtocol  = "protocol"
	wordForbidden = "forbidden"
	wordTooLarge  = "too_large"
	// wordUnreadable: what is stored is damaged. wordUnread: it could not be read just now.
	wordUnreadable = "unreadable"
	wordUnread     = "read_failed"
	wordSlow       = "timeout"
	wordInternal   = "internal"
)

// statusOf is the HTTP status of a command that ended with a word.
func statusOf(word string) int {
	word, _, _ = strings.Cut(word, ":")
	switch word {
	case wordNotFound:
		return http.StatusNotFound
	case wordExists, wordUnbanned:
		return http.StatusConflict
	case wordInvalid:
		return http.StatusUnprocessableEntity
	case wordProtocol:
		return http.StatusBadRequest
	case wordForbidden:
		return http.StatusForbidden
	case wordTooLarge:
		return http.StatusRequestEntityTooLarge
	case wordClosing, wordBusy:
		return http.StatusServiceUnavailable
	case wordSlow:
		return http.StatusGatewayTimeout
	}
	return http.StatusInternalServerError
}

// wasRefused tells by its status that a command was not carried out, or that nobody
// knows how it ended. Other errors are its result.
func wasRefused(status int) bool {
	switch status {
	case http.StatusBadRequest, http.StatusForbidden, http.StatusRequestEntityTooLarge, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	}
	return false
}

// errorWord and wordError are two directions of one table. An error without a word
// becomes "internal": its cause stays in the server's log. A read's error is never a
// write's.
func errorWord(err error) string {
	switch {
	case errors.Is(err, storage.ErrNotFound):
		return wordNotFound
	case errors.Is(err, storage.ErrNotBanned):
		return wordUnbanned
	case errors.Is(err, storage.ErrExists):
		return wordExists
	case errors.Is(err, storage.ErrClosed):
		return wordClosing
	case errors.Is(err, storage.ErrInvalid):
		return wordInvalid
	case errors.Is(err, storage.ErrCorrupt), errors.Is(err, storage.ErrRecordVersion):
		return wordCorrupt
	case errors.Is(err, ErrServerBusy):
		return wordBusy
	case errors.Is(err, ErrProtocol):
		return wordProtocol
	case errors.Is(err, ErrTooLarge):
		return wordTooLarge
	case errors.Is(err, ErrForbidden):
		return wordForbidden
	case errors.Is(err, storage.ErrUnreadable):
		return wordUnreadable
	case errors.Is(err, storage.ErrReadFailed):
		return withErrno(wordUnread, err)
	case errors.Is(err, storage.ErrFailed):
		return withErrno(wordFailed, err)
	case errors.Is(err, context.DeadlineExceeded):
		return wordSlow
	}
	return wordInternal
}

// withErrno adds what the disk says to a word, and nothing else of the cause.
func withErrno(word string, err error) string {
	if cause, ok := errors.AsType[syscall.Errno](err); ok {
		return word + ": " + cause.Error()
	}
	return word
}

func wordError(word string) error {
	switch word {
	case "":
		return nil
	case wordNotFound:
		return storage.ErrNotFound
	case wordUnbanned:
		return storage.ErrNotBanned
	case wordExists:
		return storage.ErrExists
	case wordClosing:
		return ErrServerClosing
	case wordBusy:
		return ErrServerBusy
	case wordTooLarge:
		return ErrTooLarge
	case wordForbidden:
		return ErrForbidden
	case wordInvalid:
		return storage.ErrInvalid
	case wordCorrupt:
		return storage.ErrCorrupt
	case wordFailed:
		return storage.ErrFailed
	case wordUnreadable:
		return storage.ErrUnreadable
	case wordUnread:
		return &UnreadError{}
	case wordSlow:
		return ErrServerSlow
	case wordInternal:
		return ErrServerFault
	}
	if reason, ok := strings.CutPrefix(word, wordFailed+": "); ok {
		return &RefusedError{Reason: reason}
	}
	if reason, ok := strings.CutPrefix(word, wordUnread+": "); ok {
		return &UnreadError{Reason: reason}
	}
	return ErrProtocol
}
