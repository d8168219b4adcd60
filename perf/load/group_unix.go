//go:build unix

package load

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a Ctrl-C that is meant for us from reaching the child too: it
// is stopped when the report is made.
func ownGroup(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
