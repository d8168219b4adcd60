package factor

import (
	"time"

	"gatepass/deadline"
	"gatepass/storage"
)

// usedCodes remembers which authenticator codes have let their accounts in, each by
// the number of its step, so that each code does so once (RFC 6238, section 5.2). A
// restart forgets them.
//
// Steps follow the wall clock, which may be set at any moment. So a code is compared
// with those of steps near its own only: a clock that is set back by days finds codes
// that nobody has used, and one that returns finds those that were. A step is forgotten
// when its code is too old by the wall clock, and codeMemory has passed by the ticks'
// time: neither a wall clock that stands still nor one that jumps ahead and back makes
// a code good again.
type usedCodes struct {
	used map[usedCode]struct{}
	ends deadline.Queue[usedCode]
}

type usedCode struct {
	name storage.Name
	step int64
}

const (
	// codeStep is how long one code is shown. (RFC 6238, section 4)
	codeStep = 30 * time.Second
	// codeLife is for how many steps from its own a code may be taken: one more
	// than it is shown, for clocks that are behind.
	codeLife = 2
	// codeMemory is how long a used code is remembered at least: longer than a clock
	// that NTP corrects is expected to be off.
	codeMemory = 10 * time.Minute
)

func newUsedCodes() usedCodes { return usedCodes{used: make(map[usedCode]struct{})} }

// use takes the code of a step at now, in milliseconds of the ticks' time; false when
// it was used before, or a later one that may be shown at the same time.
func (u *usedCodes) use(name storage.Name, step, now int64) bool {
	for later := range int64(codeLife + 1) {
		if _, used := u.used[usedCode{name, step + later}]; used {
			return false
		}
	}
	code := usedCode{name, step}
	u.used[code] = struct{}{}
	u.ends.Push(code, now+codeMemory.Milliseconds())
	return true
}

// advance forgets what cannot be used again at now by the ticks and wall by the wall
// clock, in milliseconds.
func (u *usedCodes) advance(now, wall int64) {
	for code, ok := u.ends.Next(now); ok; code, ok = u.ends.Next(now) {
		if wall < endOfCode(code.step) {
			u.ends.Push(code, now+codeMemory.Milliseconds())
		} else {
			delete(u.used, code)
		}
	}
}

// endOfCode is the first moment, in milliseconds, at which a step's code is not
// taken any more.
func endOfCode(step int64) int64 { return (step + codeLife) * codeStep.Milliseconds() }
