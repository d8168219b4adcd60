package process

import (
	"runtime"
	"runtime/debug"
	"strings"
)

// Build says what a binary was made from.
type Build struct {
	// Version is the module's version: a tag, or a pseudo-version of the commit.
	// "(devel)" when the build had no version control to ask.
	Version string `json:"version"`
	// Commit and Time are of version control; empty when the build had none.
	Commit string `json:"commit,omitempty"`
	Time   string `json:"time,omitempty"`
	// Modified says that the work tree had changes that are in no commit.
	Modified bool   `json:"modified"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

// ReadBuild reads what the Go linker stamped into the binary. info may be nil.
func ReadBuild(info *debug.BuildInfo) Build {
	b := Build{Version: "unknown", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	if info == nil {
		return b
	}
	b.Version = info.Main.Version
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value
		case "vcs.time":
			b.Time = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

// String is the line that `gatepass version` prints.
func (b Build) String() string {
	var from []string
	if b.Commit != "" {
		from = append(from, "commit "+b.Commit, b.Time)
	}
	if b.Modified {
		from = append(from, "modified")
	}
	line := "gatepass " + b.Version
	if len(from) > 0 {
		line += " (" + strings.Join(from, ", ") + ")"
	}
	return line + " " + b.Go + " " + b.Platform
}
