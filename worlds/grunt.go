package worlds

import "gatepass/codec/grunt"

// EncodeGrunt is the Encode of the grunt protocol.
func EncodeGrunt(build uint16, ws []World) ([]byte, error) {
	realms := make([]grunt.Realm, len(ws))
	for i := range ws {
		realms[i] = realmOf(&ws[i], build)
	}
	return grunt.AppendRealmList(nil, grunt.Build(build), realms)
}

func realmOf(w *World, build uint16) grunt.Realm {
	r := grunt.Realm{
		ID: w.ID, Type: uint8(w.Kind), Category: w.Category, Name: w.Name,
		Address: w.Address, Population: w.Population, Locked: w.Locked,
	}
	if w.Offline {
		r.Flags |= grunt.RealmOffline
	}
	if !w.takes(build) {
		// Offline too: a client lets the player try a mismatched world otherwise.
		r.Flags |= grunt.RealmVersionMismatch | grunt.RealmOffline
	}
	return r
}
