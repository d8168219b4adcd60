package load

import (
	"os/exec"
	"syscall"
)

// ownGroup keeps a Ctrl-C that is meant for us from reaching the child too: it
// is stopped when the report is made. Should we be killed before, it ends with
// us: nobody wants a server left over from a bench.
func ownGroup(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
