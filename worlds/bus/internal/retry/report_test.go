package retry

import (
	"testing"
	"time"
)

func TestReport_SameReasonOnceAMinute(t *testing.T) {
	var r Report
	const at = time.Hour
	for _, step := range []struct {
		after  time.Duration
		reason string
		want   bool
	}{
		{0, "taken", true}, {5 * time.Second, "taken", false}, {ReportEvery - time.Second, "taken", false},
		{ReportEvery, "taken", true}, {ReportEvery + time.Second, "another", true}, {ReportEvery + 2*time.Second, "taken", true},
	} {
		if got := r.Due(step.reason, at+step.after); got != step.want {
			t.Errorf("after %v, %q: %t", step.after, step.reason, got)
		}
	}
	r = Report{} // it registered in between
	if !r.Due("taken", at+ReportEvery+3*time.Second) {
		t.Error("a new reason is not reported")
	}
}
