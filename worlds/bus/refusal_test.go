package bus

import (
	"testing"
	"time"
)

func TestRefusal_SaysTheSameOnceAMinute(t *testing.T) {
	var r refusal
	const at = time.Hour
	for _, step := range []struct {
		after  time.Duration
		reason string
		want   bool
	}{
		{0, "taken", true}, {5 * time.Second, "taken", false}, {refusalEvery - time.Second, "taken", false},
		{refusalEvery, "taken", true}, {refusalEvery + time.Second, "another", true}, {refusalEvery + 2*time.Second, "taken", true},
	} {
		if got := r.tells(step.reason, at+step.after); got != step.want {
			t.Errorf("after %v, %q: %t", step.after, step.reason, got)
		}
	}
	r = refusal{} // it registered in between
	if !r.tells("taken", at+refusalEvery+3*time.Second) {
		t.Error("what is new is not told")
	}
}
