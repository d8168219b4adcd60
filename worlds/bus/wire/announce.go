package wire

import "gatepass/worlds"

// Most messages on the bus are announcements, so they are encoded and decoded by hand.
// So are the counts of characters, which have the same shape:
//
//	{"incarnation":"…","entries":[["NAME","0123456789abcdef",0,"fresh"],
//	                              ["NAME","0123456789abcdef",1,"moved","000102…0f"],…]}
//	{"counts":[["NAME",3],…]}
//
// Other fields are refused. White space between tokens is accepted.

// announcementKinds returns the names of the kinds, indexed by kind.
func announcementKinds() [5]string {
	return [5]string{
		worlds.AnnounceFresh: "fresh", worlds.AnnounceMoved: "moved",
		worlds.AnnounceHeld: "held", worlds.AnnounceGone: "gone", worlds.AnnounceRenewed: "renewed",
	}
}

// AppendAnnounce encodes the announcements of one incarnation of a node. It leaves out an
// announcement that has no encoding.
func AppendAnnounce(b []byte, incarnation uint64, all []worlds.Announcement) []byte {
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
		b = append(b, '"')
		if a.Voucher != (worlds.Voucher{}) {
			b = appendBytesHex(append(b, ','), a.Voucher[:])
		}
		b = append(b, ']')
	}
	return append(b, ']', '}')
}

// DecodeAnnounce returns the sender's incarnation, and into with the announcements
// appended.
func DecodeAnnounce(b []byte, into []worlds.Announcement) (incarnation uint64, all []worlds.Announcement, err error) {
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

// announcements reads the array of entries and appends them to into.
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
		if s.peek() == ',' {
			s.at++
			s.bad = s.bad || !unhex(a.Voucher[:], string(s.text()))
		}
		s.byte(']')
		s.bad = s.bad || !known
		into = append(into, a)
	})
	return into
}

// AppendCharacters appends how many characters accounts have in a world. It leaves out a
// count whose account has no encoding.
func AppendCharacters(b []byte, counts []worlds.CharacterCount) []byte {
	b = append(b, `{"counts":[`...)
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

// DecodeCharacters reads the counts that a world has sent.
func DecodeCharacters(world uint8, b []byte) (*worlds.Characters, error) {
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
