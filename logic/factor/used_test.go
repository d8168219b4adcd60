package factor

import (
	"testing"
	"time"

	"gatepass/storage"
)

func TestUsedCodes_EachStepIsGoodOnceWhateverTheWallClockDoes(t *testing.T) {
	const step, day = int64(1000), int64(24 * time.Hour / codeStep)
	a, b := storage.Name{'A'}, storage.Name{'B'}
	u := newUsedCodes()
	for i, c := range []struct {
		name storage.Name
		step int64
		want bool
	}{
		{a, step, true}, {a, step, false}, {b, step, true},
		{a, step - 1, false}, {a, step - 2, false}, // shown together with one that was used
		{a, step + 1, true}, {a, step, false},
		{a, step - 3*day, true}, {a, step - 3*day, false}, // the clock was set back
		{a, step - 3*day - 1, false}, {a, step - 3*day + 1, true},
		{a, step, false}, {a, step + 1, false}, {a, step + 2, true}, // and put right again
		{a, -1, true}, {a, -1, false}, // 1970
	} {
		if got := u.use(c.name, c.step, 0); got != c.want {
			t.Errorf("%d: step %d of %s: %v, want %v", i, c.step, c.name, got, c.want)
		}
	}
}

func TestUsedCodes_AreForgottenWhenTheyCannotBeUsedAgain(t *testing.T) {
	const step = 100
	over, memory := endOfCode(step), codeMemory.Milliseconds()
	for _, c := range []struct {
		text      string
		now, wall int64
		left      int
	}{
		{"the clock jumps ahead", memory - 1, over + 1_000_000, 1},
		{"the clock stands still", 100 * memory, over - 1, 1},
		{"the clock is set back", 100 * memory, 0, 1},
		{"both have passed", memory, over, 0},
	} {
		u := newUsedCodes()
		u.use(storage.Name{'A'}, step, 0)
		for now := int64(0); now <= c.now; now += memory / 4 {
			u.advance(now, c.wall)
		}
		u.advance(c.now, c.wall)
		if len(u.used) != c.left || u.ends.Len() != c.left {
			t.Errorf("%s: %d remembered, %d waiting to be forgotten, want %d", c.text, len(u.used), u.ends.Len(), c.left)
		}
	}
}
