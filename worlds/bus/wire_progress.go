package bus

import "gatepass/worlds"

// Progress is written and read by hand, as announcements are: a queue that moves
// on has news for everybody in it.
//
//	{"progress":[["000102030405060708090a0b0c0d0e0f",3],…]}

// progressBatch is how much progress a message has at most: 24 KiB.
const progressBatch = maxEntries

func appendProgress(b []byte, all []worlds.Progress) []byte {
	b = append(b, `{"progress":[`...)
	for i := range all {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, '[')
		b = appendBytesHex(b, all[i].Pass[:])
		b = append(b, ',')
		b = appendUint(b, all[i].Position)
		b = append(b, ']')
	}
	return append(b, ']', '}')
}

func decodeProgress(b []byte) (all []worlds.Progress, err error) {
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
			s.byte(']')
			all = append(all, p)
		})
	})
	if !s.end() || !seen {
		return nil, errPayload
	}
	return all, nil
}
