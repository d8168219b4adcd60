package accounts

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// StrictJSON parses exactly one JSON value into v. At every depth, unknown keys and
// keys that occur twice in one object are errors, because the decoder would silently
// ignore the value of a misspelt key. Keys are compared without regard to case, as the
// decoder does.
func StrictJSON(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return jsonFault(err)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return errNotObject
	}
	return checkDoubled(text)
}

// StrictStream parses a sequence of JSON values, each as StrictJSON does.
type StrictStream struct {
	text []byte
	d    *json.Decoder
}

// NewStrictStream returns a stream of the values in text.
func NewStrictStream(text []byte) *StrictStream {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	return &StrictStream{text, d}
}

// Next parses the next value into v. It returns io.EOF at the end.
func (s *StrictStream) Next(v any) error {
	from := s.d.InputOffset()
	err := s.d.Decode(v)
	switch {
	case errors.Is(err, io.EOF):
		return io.EOF
	case err != nil:
		return jsonFault(err)
	}
	return checkDoubled(s.text[from:s.d.InputOffset()])
}

// checkDoubled returns an error if a key occurs twice in one object of text. The text
// must be valid JSON.
func checkDoubled(text []byte) error {
	if key, twice := doubledKey(text); twice {
		return &FieldError{Field: shownKey(key), Problem: "stands twice in one object; leave one out"}
	}
	return nil
}

// jsonFault returns a new text for a decoder's error, because the decoder's text quotes
// values.
func jsonFault(err error) error {
	var field *FieldError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &field):
		return field
	case errors.As(err, &kind) && kind.Field != "":
		return &FieldError{Field: strings.TrimPrefix(kind.Field, "Record."), Problem: "has a value of the wrong kind", cause: errWrongKind}
	case errors.As(err, &kind), errors.Is(err, errHexLength), errors.Is(err, errTime):
		return errWrongKind
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return &FieldError{Field: shownKey(strings.Trim(name, `"`)), Problem: "there is no such key; take it out, or mend its spelling"}
	}
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errNotObject
	}
	return errWrongKind
}

// shownKey shortens a key for an error text.
func shownKey(key string) string {
	if len(key) > 40 {
		key = key[:40] + "…"
	}
	return fmt.Sprintf("%q", key)
}

// doubledKey returns a key that occurs twice in one object of text. The text must be
// valid JSON.
func doubledKey(text []byte) (string, bool) {
	var open []map[string]bool // one per enclosing object or array; nil for arrays
	keyNext := false
	for i := 0; i < len(text); i++ {
		switch text[i] {
		case '{':
			open, keyNext = append(open, make(map[string]bool)), true
		case '[':
			open, keyNext = append(open, nil), false
		case '}', ']':
			open, keyNext = open[:len(open)-1], false
		case ',':
			keyNext = len(open) > 0 && open[len(open)-1] != nil
		case '"':
			end := stringEnd(text, i)
			if keyNext {
				var key string
				if json.Unmarshal(text[i:end], &key) != nil {
					return "", false
				}
				folded := strings.ToLower(key)
				if open[len(open)-1][folded] {
					return key, true
				}
				open[len(open)-1][folded] = true
			}
			i, keyNext = end-1, false
		}
	}
	return "", false
}

// stringEnd returns the index after the JSON string that starts at i.
func stringEnd(text []byte, i int) int {
	for i++; i < len(text) && text[i] != '"'; i++ {
		if text[i] == '\\' {
			i++
		}
	}
	return min(i+1, len(text))
}
