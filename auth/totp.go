package auth

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/subtle"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"time"
)

// totpStep is the time for which an authenticator shows one code. (RFC 6238, section 4)
const totpStep = 30 * time.Second

// TOTPSecret is the secret that an authenticator and the server share.
type TOTPSecret []byte

// ParseTOTPSecret reads base32 as authenticators show it: in either case, with or without
// spaces, hyphens and padding. It returns ErrTOTPSecret for anything else.
func ParseTOTPSecret(text string) (TOTPSecret, error) {
	text = strings.NewReplacer(" ", "", "-", "", "=", "").Replace(strings.ToUpper(text))
	secret, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil || len(secret) == 0 {
		return nil, ErrTOTPSecret
	}
	return secret, nil
}

// TOTPStep returns the number of the 30-second step that contains t, counted from the start of
// 1970.
func TOTPStep(t time.Time) int64 { return t.Unix() / int64(totpStep/time.Second) }

// Code returns the six digits for a step, including leading zeros.
func (s TOTPSecret) Code(step int64) string {
	mac := hmac.New(sha1.New, s)
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(step)))
	sum := mac.Sum(nil)
	at := sum[len(sum)-1] & 0xf
	number := binary.BigEndian.Uint32(sum[at:]) & (1<<31 - 1)
	var code [6]byte
	for i := len(code) - 1; i >= 0; i-- {
		code[i], number = '0'+byte(number%10), number/10
	}
	return string(code[:])
}

// Verify checks a code as typed, against the current step and the one before and after it,
// because clocks differ. It returns the step of the code. A caller that stores the last step
// used by an account, and accepts only later ones, accepts each code once. It returns
// ErrFactor if no step matches.
func (s TOTPSecret) Verify(code string, now time.Time) (step int64, err error) {
	return s.find(now, func(shown string) bool {
		return subtle.ConstantTimeCompare([]byte(shown), []byte(code)) == 1
	})
}

// VerifyPIN is Verify for clients without a token field. Their users enter the code on the PIN
// pad.
func (s TOTPSecret) VerifyPIN(x *PINExchange, proof *[20]byte, now time.Time) (step int64, err error) {
	return s.find(now, func(shown string) bool { return x.Verify(shown, proof) == nil })
}

// find tries all three steps and returns the latest whose code matches.
func (s TOTPSecret) find(now time.Time, matches func(code string) bool) (step int64, err error) {
	err = ErrFactor
	for candidate := TOTPStep(now) - 1; candidate <= TOTPStep(now)+1; candidate++ {
		if candidate >= 0 && matches(s.Code(candidate)) {
			step, err = candidate, nil
		}
	}
	return step, err
}
