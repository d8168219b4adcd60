package accounts

import (
	"errors"
	"fmt"
	"time"
)

var errTime = errors.New("give a time in RFC 3339, such as 2027-01-31T18:00:00Z")

// Times before minTime and from maxTime on are refused wherever one is given. They
// are what stands for "none" elsewhere (1970-01-01, 0001-01-01, 9999-12-31), or typos,
// or the milliseconds of another program.
const (
	minTime = 946_684_800   // 2000-01-01T00:00:00Z
	maxTime = 7_258_118_400 // 2200-01-01T00:00:00Z
)

// stamp is Unix seconds, written as RFC 3339 in UTC; 0 is never.
type stamp int64

// MarshalText writes RFC 3339. It never fails, whatever was stored.
func (s stamp) MarshalText() ([]byte, error) {
	return time.Unix(int64(s), 0).UTC().AppendFormat(nil, time.RFC3339), nil
}

// UnmarshalText reads RFC 3339. The time 0 is refused: it would be never.
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

// CheckTime refuses a time that nobody means; 0, which is none, passes. Its error
// is a FieldError.
func CheckTime(field string, seconds int64) error {
	if seconds == 0 || seconds >= minTime && seconds < maxTime {
		return nil
	}
	return &FieldError{Field: field, Problem: fmt.Sprintf("%s lies outside the years 2000 to 2199", time.Unix(seconds, 0).UTC().Format(time.RFC3339))}
}
