package accounts

import (
	"errors"
	"fmt"
	"time"
)

var errTime = errors.New("give a time in RFC 3339, such as 2027-01-31T18:00:00Z")

// Times before minTime, and from maxTime on, are refused everywhere. Such a time means
// "none" in other programs (1970-01-01, 0001-01-01, 9999-12-31), or it is a typo or in
// milliseconds.
const (
	minTime = 946_684_800   // 2000-01-01T00:00:00Z
	maxTime = 7_258_118_400 // 2200-01-01T00:00:00Z
)

// stamp is Unix seconds, written as RFC 3339 in UTC. 0 means never.
type stamp int64

// MarshalText returns RFC 3339. It never fails, even for a wrong stored time.
func (s stamp) MarshalText() ([]byte, error) {
	return time.Unix(int64(s), 0).UTC().AppendFormat(nil, time.RFC3339), nil
}

// UnmarshalText parses RFC 3339. It refuses the time 0, which would mean never.
func (s *stamp) UnmarshalText(text []byte) error {
	var t time.Time
	if err := t.UnmarshalText(text); err != nil {
		return errTime
	}
	if *s = stamp(t.Unix()); *s == 0 {
		return errTime
	}
	return nil
}

// CheckTime refuses an implausible time. It accepts 0, which means none. Its error is a
// FieldError.
func CheckTime(field string, seconds int64) error {
	if seconds == 0 || seconds >= minTime && seconds < maxTime {
		return nil
	}
	return &FieldError{Field: field, Problem: fmt.Sprintf("%s lies outside the years 2000 to 2199", time.Unix(seconds, 0).UTC().Format(time.RFC3339))}
}
