package logic

import (
	"time"

	"gatepass/deadline"
	"gatepass/storage"
)

// usedCodes remembers for each account the step of the last authenticator code
// that let it in, so that each code does so once (RFC 6238, section 5.2). A step
// is forgotten when its code is too old to be taken anyhow: there are never more
// entries than accounts that logged in by a code within the last minute and a
// half. A restart forgets them too.
type usedCodes struct {
	steps map[storage.Name]int64
	ends  deadline.Wheel[storage.Name]
}

const (
	// codeStep is how long one code is shown. (RFC 6238, section 4)
	codeStep = 30 * time.Second
	// codeLife is for how many steps from its own a code may be taken: one more
	// than it is shown, for clocks that are behind.
	codeLife = 2
)

func newUsedCodes() usedCodes { return usedCodes{steps: make(map[storage.Name]int64)} }

// use takes the code of a step; false when it, or a later one, was used before.
func (u *usedCodes) use(name storage.Name, step int64) bool {
	if last, ok := u.steps[name]; ok && step <= last {
		return false
	}
	u.steps[name] = step
	u.ends.Arm(name, endOfCode(step))
	return true
}

// advance forgets what cannot be used again at now, in milliseconds.
func (u *usedCodes) advance(now int64) {
	u.ends.Advance(now, func(name storage.Name, _ int64) {
		// A later code has armed an entry of its own.
		if step, ok := u.steps[name]; ok && endOfCode(step) <= now {
			delete(u.steps, name)
		}
	})
}

// endOfCode is the first moment, in milliseconds, at which a step's code is not
// taken any more.
func endOfCode(step int64) int64 { return (step + codeLife) * codeStep.Milliseconds() }
