package bus

import (
	"gatepass/codec"
	"gatepass/worlds"
)

// Announcements are the bulk of what the bus carries, so they are written and
// read by hand, as are the counts of characters, which have the same shape:
//
//	{"incarnation":"…","entries":[["NAME","0123456789abcdef",0,"fresh"],…]}
//	{"counts":[["NAME",3],…]}
//
// Fields other than these are refused; space between tokens is not.

// announcementKinds are the kinds' names by number.
func announcementKinds() [4]string {
	return [4]string{
		worlds.AnnounceFresh: "fresh", worlds.AnnounceMoved: "moved",
		worlds.AnnounceHeld: "held", worlds.AnnounceGone: "gone",
	}
}

// appendAnnounce leaves out what has no encoding.
func appendAnnounce(b []byte, incarnation uint64, all []worlds.Announcement) []byte {
	kinds := announcementKinds()
	b = append(b, `{"incarnation":`...)
	b = appendHexString(b, incarnation)
	b = append(b, `,"entries":[`...)
	first := true
	for i := range all {
		a := &all[i]
		if !nameFits(&a.Account) || int(a.Kind) >= len(kinds) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '[')
		b = appendName(b, &a.Account)
		b = append(b, ',')
		b = appendHexString(b, uint64(a.Stamp))
		b = append(b, ',')
		b = appendUint(b, a.Hop)
		b = append(b, ',', '"')
		b = append(b, kinds[a.Kind]...)
		b = append(b, '"', ']')
	}
	return append(b, ']', '}')
}

// decodeAnnounce appends the entries to into.
func decodeAnnounce(b []byte, into []worlds.Announcement) (incarnation uint64, all []worlds.Announcement, err error) {
	if len(b) > maxAnnounce {
		return 0, into, errTooLarge
	}
	s := scanner{b: b}
	seen := 0
	s.object(func(key []byte) {
		switch string(key) {
		case "incarnation":
			incarnation = s.hex64()
			seen |= 1
		case "entries":
			into = s.announcements(into)
			seen |= 2
		default:
			s.bad = true
		}
	})
	if !s.end() || seen != 3 {
		return 0, into, errPayload
	}
	return incarnation, into, nil
}

func (s *scanner) announcements(into []worlds.Announcement) []worlds.Announcement {
	kinds := announcementKinds()
	s.array(func() {
		a := worlds.Announcement{}
		s.byte('[')
		a.Account = s.name()
		s.byte(',')
		a.Stamp = worlds.Stamp(s.hex64())
		s.byte(',')
		a.Hop = s.uint(1<<32 - 1)
		s.byte(',')
		text, known := s.text(), false
		for k, name := range kinds {
			if string(text) == name {
				a.Kind, known = worlds.AnnouncementKind(k), true
			}
		}
		s.byte(']')
		s.bad = s.bad || !known
		into = append(into, a)
	})
	return into
}

func encodeCharacters(counts []worlds.CharacterCount) []byte {
	b := append(make([]byte, 0, 16+len(counts)*26), `{"counts":[`...)
	first := true
	for i := range counts {
		c := &counts[i]
		if !nameFits(&c.Account) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(b, '[')
		b = appendName(b, &c.Account)
		b = append(b, ',')
		b = appendUint(b, uint32(c.Count))
		b = append(b, ']')
	}
	return append(b, ']', '}')
}

func decodeCharacters(world uint8, b []byte) (*worlds.Characters, error) {
	if len(b) > maxCharacters {
		return nil, errTooLarge
	}
	c := &worlds.Characters{World: world}
	s := scanner{b: b}
	seen := false
	s.object(func(key []byte) {
		if string(key) != "counts" {
			s.bad = true
			return
		}
		seen = true
		s.array(func() {
			s.byte('[')
			name := s.name()
			s.byte(',')
			c.Counts = append(c.Counts, worlds.CharacterCount{Account: name, Count: uint8(s.uint(255))})
			s.byte(']')
		})
	})
	if !s.end() || !seen {
		return nil, errPayload
	}
	return c, nil
}

// scanner reads JSON of a known shape from front to back. A token that is not
// the one asked for sets bad, and everything is zero from then on; readers look
// at end once.
type scanner struct {
	b   []byte
	at  int
	bad bool
	// scratch holds a text with escapes in it.
	scratch [2 * codec.MaxName]byte
}

// peek is the next byte behind space, or 0.
func (s *scanner) peek() byte {
	for !s.bad && s.at < len(s.b) {
		c := s.b[s.at]
		if c != ' ' && c != '\n' && c != '\t' && c != '\r' {
			return c
		}
		s.at++
	}
	return 0
}

func (s *scanner) byte(want byte) {
	if s.peek() != want {
		s.bad = true
		return
	}
	s.at++
}

// end tells whether all was as asked for and nothing is left.
func (s *scanner) end() bool { return s.peek() == 0 && !s.bad && s.at == len(s.b) }

// object calls f for each key, which is valid until f reads.
func (s *scanner) object(f func(key []byte)) {
	s.byte('{')
	for first := true; !s.bad && (!first || s.peek() != '}'); first = false {
		key := s.text()
		s.byte(':')
		f(key)
		if s.peek() != ',' {
			break
		}
		s.at++
	}
	s.byte('}')
}

// array calls f for each of at most maxEntries elements.
func (s *scanner) array(f func()) {
	s.byte('[')
	for n := 0; !s.bad && (n > 0 || s.peek() != ']'); n++ {
		if n == maxEntries {
			s.bad = true
			return
		}
		f()
		if s.peek() != ',' {
			break
		}
		s.at++
	}
	s.byte(']')
}

// text reads a string whose only escapes are \" \\ and \/. It is valid until the
// next call.
func (s *scanner) text() []byte {
	s.byte('"')
	start := s.at
	for i := s.at; !s.bad && i < len(s.b); i++ {
		switch c := s.b[i]; {
		case c == '"':
			s.at = i + 1
			return s.b[start:i]
		case c == '\\':
			return s.escaped(start)
		case c < ' ':
			s.bad = true
		}
	}
	s.bad = true
	return nil
}

// escaped reads on, from the beginning, a string that has an escape.
func (s *scanner) escaped(start int) []byte {
	text := s.scratch[:0]
	for i := start; i < len(s.b) && len(text) < len(s.scratch); i++ {
		c := s.b[i]
		switch {
		case c == '"':
			s.at = i + 1
			return text
		case c == '\\' && i+1 < len(s.b):
			i++
			c = s.b[i]
			if c != '"' && c != '\\' && c != '/' {
				s.bad = true
				return nil
			}
		case c < ' ':
			s.bad = true
			return nil
		}
		text = append(text, c)
	}
	s.bad = true
	return nil
}

func (s *scanner) name() codec.Name {
	name, ok := parseName(s.text())
	s.bad = s.bad || !ok
	return name
}

func (s *scanner) hex64() uint64 {
	v, ok := parseHex64(s.text())
	s.bad = s.bad || !ok
	return v
}

// uint reads a number as JSON writes it, without sign, fraction or exponent.
func (s *scanner) uint(most uint32) uint32 {
	start, v := s.at, uint64(0)
	if s.peek() != 0 {
		start = s.at
	}
	for ; s.at < len(s.b) && '0' <= s.b[s.at] && s.b[s.at] <= '9' && s.at-start < 10; s.at++ {
		v = v*10 + uint64(s.b[s.at]-'0')
	}
	if n := s.at - start; s.bad || n == 0 || n > 1 && s.b[start] == '0' || v > uint64(most) {
		s.bad = true
		return 0
	}
	return uint32(v)
}
