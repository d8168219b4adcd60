package worlds

import "gatepass/codec/grunt"

// EncodeGrunt implements Encode for the grunt protocol.
func EncodeGrunt(build uint16, shown []Shown) (frame []byte, counts []int, err error) {
	realms := make([]grunt.Realm, len(shown))
	for i := range shown {
		realms[i] = realmOf(grunt.Build(build), &shown[i])
	}
	counts = make([]int, len(shown))
	frame, err = grunt.AppendRealmListCounts(nil, grunt.Build(build), realms, counts)
	return frame, counts, err
}

// realmOf returns a world in the form that clients of a build receive.
func realmOf(build grunt.Build, s *Shown) grunt.Realm {
	r := grunt.Realm{
		ID: s.ID, Type: gruntType(s.Kind), Category: grunt.CategoryOf(build, s.Category), Name: s.Name,
		Address: s.Address, Population: s.Population, Locked: s.Locked,
	}
	if s.Full {
		r.Flags |= grunt.RealmForceFull
	}
	if s.Offline {
		r.Flags |= grunt.RealmOffline
	}
	if len(s.Wants) > 0 {
		r.Wants(s.Wants)
	}
	return r
}

// gruntType returns the number of a kind on the wire. The protocol has two numbers for
// a normal world, 0 and 4. Servers of the mangos family write 0, which all clients
// know.
func gruntType(k Kind) uint8 {
	if k == KindPlain {
		return uint8(KindPvE)
	}
	return uint8(k)
}
