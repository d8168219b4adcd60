package worlds

import "gatepass/codec/grunt"

// EncodeGrunt is the Encode of the grunt protocol.
func EncodeGrunt(build uint16, shown []Shown) (frame []byte, counts []int, err error) {
	realms := make([]grunt.Realm, len(shown))
	for i := range shown {
		realms[i] = realmOf(&shown[i])
	}
	counts = make([]int, len(shown))
	frame, err = grunt.AppendRealmListCounts(nil, grunt.Build(build), realms, counts)
	return frame, counts, err
}

func realmOf(s *Shown) grunt.Realm {
	r := grunt.Realm{
		ID: s.ID, Type: uint8(s.Kind), Category: s.Category, Name: s.Name,
		Address: s.Address, Population: s.Population, Locked: s.Locked,
	}
	if s.Full {
		r.Flags |= grunt.RealmForceFull
	}
	if s.Offline {
		r.Flags |= grunt.RealmOffline
	}
	if s.Mismatch {
		// Offline too: a client lets the player try a mismatched world otherwise.
		r.Flags |= grunt.RealmVersionMismatch | grunt.RealmOffline
	}
	return r
}
