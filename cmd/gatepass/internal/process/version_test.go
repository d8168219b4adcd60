package process

import (
	"runtime/debug"
	"strings"
	"testing"
)

func TestReadBuild(t *testing.T) {
	stamped := &debug.BuildInfo{Main: debug.Module{Version: "v0.3.0"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "91e8b0b"}, {Key: "vcs.time", Value: "2026-11-30T11:36:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{stamped, "gatepass v0.3.0 (commit 91e8b0b, 2026-11-30T11:36:00Z, modified) "},
		{&debug.BuildInfo{Main: debug.Module{Version: "(devel)"}}, "gatepass (devel) go"},
		{nil, "gatepass unknown go"},
	} {
		if got := ReadBuild(c.info).String(); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q, want it to begin with %q", got, c.want)
		}
	}
}
