package counts

import (
	"testing"
)

func TestNames_AreAllThere(t *testing.T) {
	for f := range FaultCount {
		if f.String() == "" {
			t.Errorf("fault %d has no name", f)
		}
	}
	for p := range PartCount {
		if p.String() == "" {
			t.Errorf("part %d has no name", p)
		}
	}
	for p := range PlanCount {
		if p.String() == "" {
			t.Errorf("plan %d has no name", p)
		}
	}
}
