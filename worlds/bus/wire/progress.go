package wire

import (
	"strings"
	"unicode/utf8"

	"gatepass/worlds"
)

// Progress is encoded and decoded by hand, as announcements are: when a queue moves on,
// the position of everybody in it changes.
//
//	{"progress":[["000102030405060708090a0b0c0d0e0f",3],["…",0,"second login"],…]}

// ProgressBatch is the largest number of positions in one message: 24 KiB, or 260 KiB if
// each has the longest reason.
const ProgressBatch = MaxEntries

// AppendProgress encodes the positions of clients in a world's queue.
func AppendProgress(b []byte, all []worlds.Progress) []byte {
	b = append(b, `{"progress":[`...)
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = appendBytesHex(b, all[i].Pass[:])
		b = append(b, ',')
		b = appendUint(b, all[i].Position)
		if all[i].Ended != "" {
			b = append(b, ',')
			b = appendReason(b, all[i].Ended)
		}
		b = append(b, ']')
	}
	return append(b, ']', '}')
}

// appendReason writes a text for people. It shortens the text and replaces what a scanner
// cannot read.
func appendReason(b []byte, why string) []byte {
	b = append(b, '"')
	for _, c := range []byte(strings.ToValidUTF8(Clip(why), "")) {
		switch {
		case c < ' ':
			c = ' '
		case c == '"' || c == '\\':
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, '"')
}

// DecodeProgress reads what AppendProgress writes.
func DecodeProgress(b []byte) (all []worlds.Progress, err error) {
	if len(b) > maxProgress {
		return nil, errTooLarge
	}
	s := scanner{b: b}
	seen := false
	s.object(func(key []byte) {
		if string(key) != "progress" || seen {
			s.bad = true
			return
		}
		seen = true
		s.array(func() {
			var p worlds.Progress
			s.byte('[')
			s.bad = !unhex(p.Pass[:], string(s.text())) || s.bad
			s.byte(',')
			p.Position = s.uint(1<<32 - 1)
			if s.peek() == ',' {
				s.at++
				p.Ended = s.reason()
			}
			s.byte(']')
			all = append(all, p)
		})
	})
	if !s.end() || !seen {
		return nil, errPayload
	}
	return all, nil
}

// reason reads what appendReason writes.
func (s *scanner) reason() string {
	text := s.text()
	s.bad = s.bad || len(text) > maxText || !utf8.Valid(text)
	return string(text)
}
