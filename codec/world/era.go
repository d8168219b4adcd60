package world

import "fmt"

// Era is a group of builds with the same layouts and header cipher. The zero Era is for builds
// whose layouts and cipher are not known.
type Era uint8

const (
	// Era112 is 1.x, with the layouts of 1.12.
	Era112 Era = iota + 1
	// Era243 is 2.x, with the layouts of 2.4.3.
	Era243
	// Era335 is 3.3.5a only; 3.0 to 3.3.3 have other layouts.
	Era335
)

// The first build of each era. CONFLICT (17.1): one source gives builds from 6180 on,
// including 2.x, the challenge of 3.3.5. No other source does, so this code does not follow
// it.
const (
	first243 = 6180 // 2.0.1
	first300 = 9056 // 3.0.2, which has no Era
	build335 = 12340
)

// EraOf returns the era of a build, 0 if it has none.
func EraOf(build uint16) Era {
	switch {
	case build == 0:
		return 0
	case build < first243:
		return Era112
	case build < first300:
		return Era243
	case build == build335:
		return Era335
	}
	return 0
}

func (e Era) String() string {
	switch e {
	case Era112:
		return "1.12"
	case Era243:
		return "2.4.3"
	case Era335:
		return "3.3.5"
	}
	return fmt.Sprintf("era(%d)", uint8(e))
}

// expansion returns the newest expansion of the era's clients.
func (e Era) expansion() uint8 { return uint8(e - Era112) }

// hasExpansion reports whether billing fields end with an expansion (17.3).
func (e Era) hasExpansion() bool { return e >= Era243 }
