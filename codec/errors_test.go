package codec

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestViolation_IsIgnoresTheText(t *testing.T) {
	v := &Violation{Message: 1, Result: ResultBadCredentials, Cause: "token too long"}
	cases := []struct {
		other error
		same  bool
	}{
		{&Violation{Message: 1, Result: ResultBadCredentials, Cause: "other"}, true},
		{&Violation{Message: 2, Result: ResultBadCredentials, Cause: v.Cause}, false},
		{&Violation{Message: 1, Result: ResultOK, Cause: v.Cause}, false},
		{ErrShort, false},
	}
	for _, c := range cases {
		if got := errors.Is(fmt.Errorf("seen: %w", v), c.other); got != c.same {
			t.Errorf("%v: %v", c.other, got)
		}
	}
	if errors.Is(ErrShort, v) {
		t.Error("too few bytes is a violation")
	}
}

func TestViolation_Error(t *testing.T) {
	v := &Violation{Message: 0x10, Cause: "too long"}
	if text := v.Error(); !strings.Contains(text, "0x10") || !strings.Contains(text, "too long") {
		t.Errorf("%q", text)
	}
}
