package terminal

import (
	"testing"
	"time"
)

func TestLeftText(t *testing.T) {
	for _, c := range []struct {
		took            time.Duration
		position, total int64
		want            string
	}{
		{time.Minute, 25, 100, ", about 3m0s left"}, {time.Minute, 0, 100, ""}, {time.Minute, 100, 100, ""}, {time.Second, 1, 3600, ", about 59m59s left"},
	} {
		if got := leftText(c.took, c.position, c.total); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
