package testbed

import (
	"os/exec"
	"syscall"
)

// ownGroup puts the process into a group of its own, so that Ctrl-C does not reach it: the
// testbed stops it after the report. If this process is killed, the other one gets
// SIGTERM, so that no server is left running.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
