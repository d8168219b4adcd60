package grunt

// lastBuildOf2x is 2.4.3, the last 2.x build.
const lastBuildOf2x = Build243

// firstBuildOf2x is the first build after 1.12.3. The two known 2.0.0 and 2.0.1 test
// builds are around it; versionOf knows them.
const firstBuildOf2x Build = 6142

// versionOf returns the version by which players know a build: 1.12.1 for 5875. ok is false
// for a build that is not in the table; that is no fault.
func versionOf(b Build) (version [3]uint8, ok bool) {
	version, ok = versions[b]
	return version, ok
}

// versions has the released builds that servers commonly support, and the two 2.0 builds with
// a 1.x layout.
var versions = map[Build][3]uint8{
	4125: {1, 1, 2},
	4544: {1, 6, 1}, 4695: {1, 7, 1}, 4878: {1, 8, 4}, 5086: {1, 9, 4},
	5302: {1, 10, 2}, 5428: {1, 11, 0}, 5462: {1, 11, 1}, 5464: {1, 11, 2},
	5595: {1, 12, 0}, Build1121: {1, 12, 1}, 6005: {1, 12, 2}, 6141: {1, 12, 3},
	6080: {2, 0, 0}, 6180: {2, 0, 1}, 6299: {2, 0, 3}, 6320: {2, 0, 5},
	7359: {2, 2, 3}, 7561: {2, 3, 0}, 7741: {2, 3, 2}, 7799: {2, 3, 3},
	8089: {2, 4, 0}, Build243: {2, 4, 3},
	9947: {3, 1, 3}, 10505: {3, 2, 2}, 11159: {3, 3, 0}, 11403: {3, 3, 2},
	11723: {3, 3, 3}, Build335: {3, 3, 5},
}

// Wants marks the realm as one that accepts other builds than the client's: clients show it
// offline, with the version of the first of builds that is in the table. If none is, the realm
// is only shown offline. It does not set RealmVersionMismatch, because clients of different
// eras interpret it differently.
func (r *Realm) Wants(builds []uint16) {
	r.Flags |= RealmOffline
	for _, b := range builds {
		if v, ok := versionOf(Build(b)); ok {
			r.Flags |= RealmSpecifyBuild
			r.Version, r.Build = v, b
			return
		}
	}
}

// MaxCategory is the highest category number that a client of any era knows.
const MaxCategory = 37

// The categories of 2.x go up to 30; a list of 1.x has four of them.
const (
	maxCategory2x = 30
	categoryPlain = 1
)

// CategoryOf returns the number by which clients of a build know a category. category is
// numbered as in 3.3.5 (Cfg_Categories, 0 to MaxCategory). Each era numbers them differently;
// the results are those that CMaNGOS sends:
//
//	1.x    0 → 0; 9 and 19 → 2; 10 and 23 → 3; 3 and 11 → 5; all others → 1
//	2.x    0 to 30 as they are; all others → 0
//	3.x    as they are
func CategoryOf(b Build, category uint8) uint8 {
	switch major := majorOf(b); {
	case major <= 1:
		return categoryOf1x(category)
	case major == 2 && category > maxCategory2x:
		return 0
	}
	return category
}

func categoryOf1x(category uint8) uint8 {
	switch category {
	case 0:
		return 0
	case 9, 19:
		return 2
	case 10, 23:
		return 3
	case 3, 11:
		return 5
	}
	return categoryPlain
}

// majorOf returns the first number of a build's version. For an unknown build it derives it
// from the known builds around it.
func majorOf(b Build) uint8 {
	if v, ok := versionOf(b); ok {
		return v[0]
	}
	switch {
	case b < firstBuildOf2x:
		return 1
	case b <= lastBuildOf2x:
		return 2
	}
	return 3
}
