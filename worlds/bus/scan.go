package bus

import "gatepass/codec"

// scanner reads JSON of a known shape from front to back. A token that is not
// the one asked for sets bad, and everything is zero from then on; readers look
// at end once.
type scanner struct {
	b   []byte
	at  int
	bad bool
	// scratch holds a text with escapes in it.
	scratch [maxText + 1]byte
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
