package wire

import "gatepass/codec"

// scanner reads JSON of a known shape from front to back. A token other than the
// expected one sets bad, and every later read returns the zero value. A reader
// therefore checks for errors only once, with end.
type scanner struct {
	b   []byte
	at  int
	bad bool
	// scratch holds the text that was read last if it has escapes.
	scratch [maxText + 1]byte
}

// peek skips white space and returns the next byte without reading it, or 0 at the end.
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

// byte reads one byte, which must be want.
func (s *scanner) byte(want byte) {
	if s.peek() != want {
		s.bad = true
		return
	}
	s.at++
}

// end reports whether every token was the expected one and no input is left.
func (s *scanner) end() bool { return s.peek() == 0 && !s.bad && s.at == len(s.b) }

// object reads an object and calls f for each key; f reads the value. The key is valid
// until f reads.
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

// array reads an array of at most MaxEntries elements and calls f to read each of them.
func (s *scanner) array(f func()) {
	s.byte('[')
	for n := 0; !s.bad && (n > 0 || s.peek() != ']'); n++ {
		if n == MaxEntries {
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

// text reads a string. The only escapes it accepts are \" \\ and \/. The result is
// valid until the next call.
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

// escaped reads a string with escapes, from its first byte at start.
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

// uint reads a decimal number of at most most, without sign, fraction or exponent.
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
