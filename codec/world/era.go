package world

import "fmt"

// Era is a family of builds that share all layouts and the header cipher. The
// zero Era stands for builds of which neither is known.
type Era uint8

const (
	// Era112 is 1.x, as 1.12 has it.
	Era112 Era = iota + 1
	// Era243 is 2.x, as 2.4.3 has it.
	Era243
	// Era335 is 3.3.5a and nothing else: 3.0 to 3.3.3 have other layouts.
	Era335
)

// The first build of each era. CONFLICT (17.1): one source gives builds from 6180
// on, 2.x included, the challenge of 3.3.5; no other does, and it is not followed.
const (
	first243 = 6180 // 2.0.1
	first300 = 9056 // 3.0.2, of no era here
	build335 = 12340
)

// EraOf is the era of a build, 0 where there is none.
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

// expansion is the newest expansion that the era's clients have.
func (e Era) expansion() uint8 { return uint8(e - Era112) }

// hasExpansion tells whether billing fields end in an expansion (17.3).
func (e Era) hasExpansion() bool { return e >= Era243 }
