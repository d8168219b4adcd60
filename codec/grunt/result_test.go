package grunt

import (
	"testing"

	"gatepass/codec"
)

func TestCodeOf(t *testing.T) {
	cases := []struct {
		result     codec.Result
		old, later Code
	}{
		{codec.ResultOK, 0x00, 0x00},
		{codec.ResultBadCredentials, 0x04, 0x04},
		{codec.ResultBanned, 0x03, 0x03},
		{codec.ResultSuspended, 0x0C, 0x0C},
		{codec.ResultLocked, 0x08, 0x10},
		{codec.ResultAlreadyOnline, 0x06, 0x06},
		{codec.ResultVersionInvalid, 0x09, 0x09},
		{codec.ResultVersionUpdate, 0x0A, 0x0A},
		{codec.ResultBusy, 0x08, 0x08},
		{codec.ResultNoAccess, 0x0D, 0x0D},
		{codec.ResultReplaced, 0x06, 0x06},
		{codec.ResultKicked, 0x0D, 0x0D},
		{codec.ResultIdle, 0x0D, 0x0D},
		{codec.ResultProtocol, 0x0D, 0x0D},
		{codec.ResultGoingAway, 0x08, 0x08},
		{codec.ResultBadPass, 0x0D, 0x0D},
		{codec.ResultFull, 0x08, 0x08},
	}
	if len(cases) != int(codec.ResultCount) {
		t.Errorf("%d of %d results tried", len(cases), codec.ResultCount)
	}
	for _, c := range cases {
		for _, l := range []Layout{0, Layout2, Layout3} {
			if got := CodeOf(c.result, l); got != c.old {
				t.Errorf("%v in %v: %v, want %v", c.result, l, got, c.old)
			}
		}
		for _, l := range []Layout{Layout5, Layout6, Layout8} {
			if got := CodeOf(c.result, l); got != c.later {
				t.Errorf("%v in %v: %v, want %v", c.result, l, got, c.later)
			}
		}
		if got := c.later.Result(); got != c.result && c.result <= codec.ResultNoAccess { // the others share their codes
			t.Errorf("%v back: %v, want %v", c.later, got, c.result)
		}
	}
}

func TestCode_Result_OnlySuccessIsOK(t *testing.T) {
	for c := range 256 {
		code := Code(c)
		ok := code == CodeSuccess || code == CodeSuccessSurvey
		if got := code.Result() == codec.ResultOK; got != ok {
			t.Errorf("%v: %v", code, code.Result())
		}
	}
	for code, want := range map[Code]codec.Result{
		CodeWrongPassword: codec.ResultBadCredentials, CodeUnlockableLock: codec.ResultLocked,
		CodeGameAccountLocked: codec.ResultLocked, CodeUnknown0: codec.ResultNoAccess,
		CodeNoTime: codec.ResultNoAccess, 0xee: codec.ResultNoAccess,
	} {
		if got := code.Result(); got != want {
			t.Errorf("%v: %v, want %v", code, got, want)
		}
	}
}

func TestCode_String(t *testing.T) {
	for code, want := range map[Code]string{
		CodeSuccess: "SUCCESS", CodeUnknownAccount: "FAIL_UNKNOWN_ACCOUNT", CodeParentalControl: "FAIL_PARENTAL_CONTROL",
		CodeLocked: "FAIL_LOCKED_ENFORCED", CodeUnlockableLock: "FAIL_UNLOCKABLE_LOCK",
		CodeConversionRequired: "FAIL_CONVERSION_REQUIRED", 0x1a: "code(0x1a)", 0xff: "code(0xff)",
	} {
		if got := code.String(); got != want {
			t.Errorf("%#02x: %q, want %q", uint8(code), got, want)
		}
	}
}
