//go:build unix

package client_test

import (
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"

	"gatepass/client"
)

// Root may write anywhere, so where root runs the tests another user runs this one.
func TestUpdate_WithoutTheRights(t *testing.T) {
	if os.Getuid() == 0 {
		again := exec.Command("/proc/self/exe", "-test.v", "-test.run=^TestUpdate_WithoutTheRights$")
		again.Dir = "/"
		again.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
		out, err := again.CombinedOutput()
		if err != nil || !strings.Contains(string(out), "--- PASS: TestUpdate_WithoutTheRights") {
			t.Errorf("as nobody: %v\n%s", err, out)
		}
		return
	}
	synctest.Test(t, func(t *testing.T) {
		f := updating(someFile(250_000, 1), (*updater).serve)
		dir := t.TempDir()
		if err := os.Chmod(dir, 0o500); err != nil {
			t.Fatal(err)
		}
		_, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir})
		wantErr(t, err, fs.ErrPermission)
	})
}
