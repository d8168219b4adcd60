package auth

import (
	"errors"
	"testing"
	"time"
)

func TestTOTP_OneStepEitherWayIsTaken(t *testing.T) {
	s, err := ParseTOTPSecret("JBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Unix(1700000250, 0)
	for skew := int64(-3); skew <= 3; skew++ {
		want := TOTPStep(now) + skew
		step, err := s.Verify(s.Code(want), now)
		if taken := err == nil && step == want; taken != (-1 <= skew && skew <= 1) {
			t.Errorf("skew %d: step %d, %v", skew, step, err)
		}
	}
}

func TestTOTP_Verify_WantsTheCodeAsShown(t *testing.T) {
	s, err := ParseTOTPSecret("JBSWY3DPEHPK3PXP")
	if err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{"", "70624", "0070624", "070624 ", "07062a", "070625", "000000"} {
		if _, err := s.Verify(code, time.Unix(1700000250, 0)); !errors.Is(err, ErrFactor) {
			t.Errorf("%q: %v", code, err)
		}
	}
}

func TestTOTP_AtTheEpoch_HasNoStepBefore(t *testing.T) {
	s := TOTPSecret("12345678901234567890")
	if _, err := s.Verify(s.Code(-1), time.Unix(0, 0)); !errors.Is(err, ErrFactor) {
		t.Errorf("step -1: %v", err)
	}
	if step, err := s.Verify("755224", time.Unix(29, 0)); err != nil || step != 0 {
		t.Errorf("step %d, %v", step, err)
	}
}

func TestParseTOTPSecret_AsAuthenticatorsShowIt(t *testing.T) {
	want := "Hello!\xde\xad\xbe\xef"
	for _, text := range []string{"JBSWY3DPEHPK3PXP", "jbsw y3dp ehpk 3pxp", "JBSW-Y3DP-EHPK-3PXP", "JBSWY3DPEHPK3PXP===="} {
		if s, err := ParseTOTPSecret(text); err != nil || string(s) != want {
			t.Errorf("%q: %q, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "====", "JBSWY3DPEHPK3PX1", "JBSWY3DPEHPK3PX0", "!", "J"} {
		if s, err := ParseTOTPSecret(text); !errors.Is(err, ErrTOTPSecret) || s != nil {
			t.Errorf("%q: %q, %v", text, s, err)
		}
	}
}
