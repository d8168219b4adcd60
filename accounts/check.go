package accounts

import (
	"fmt"
	"strings"

	"gatepass/storage"
)

// ParseName checks an account name and folds its case. Its error is a FieldError.
func ParseName(raw string) (storage.Name, error) {
	name, err := storage.FoldName(raw)
	if err == nil {
		return name, nil
	}
	problem := "only printable ASCII without a colon, and no space at either end"
	switch {
	case raw == "":
		problem = "is empty; give 1 to 16 characters"
	case len(raw) > storage.MaxName:
		problem = fmt.Sprintf("is %d bytes long; give at most %d", len(raw), storage.MaxName)
	}
	return name, &FieldError{Field: "name", Problem: problem, cause: err}
}

// CheckPassword returns a FieldError if a client cannot type the password. Case does
// not matter, because clients fold it before they hash.
func CheckPassword(password string) error {
	switch {
	case password == "":
		return &FieldError{Field: "password", Problem: "is empty; give 1 to 16 characters"}
	case !printable(password):
		return &FieldError{Field: "password", Problem: "clients can only type printable ASCII; use no other characters"}
	case len(password) > MaxPassword:
		return &FieldError{Field: "password", Problem: fmt.Sprintf("clients send at most %d characters; choose a shorter one", MaxPassword)}
	}
	return nil
}

// checkReason returns a FieldError unless reason is one line that storage accepts.
func checkReason(field, reason string) error {
	switch {
	case len(reason) > MaxReason:
		return &FieldError{Field: field, Problem: fmt.Sprintf("is %d bytes long; give at most %d", len(reason), MaxReason)}
	case strings.ContainsFunc(reason, func(r rune) bool { return r < ' ' || r == 0x7f || r == '\uFFFD' }):
		return &FieldError{Field: field, Problem: "holds control characters; give one line of text"}
	}
	return nil
}

// CheckPIN returns a FieldError if a client cannot type the PIN on its PIN pad.
func CheckPIN(pin string) error {
	if len(pin) < 4 || len(pin) > 10 || strings.Trim(pin, "0123456789") != "" {
		return &FieldError{Field: "pin", Problem: "give 4 to 10 digits"}
	}
	return nil
}

func printable(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}
