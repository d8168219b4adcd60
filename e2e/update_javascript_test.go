package e2e

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

// TestUpdate_JavaScript: the client of docs/examples/client-js takes an update, too, goes
// on where a connection broke, and with what an earlier run has left.
func TestUpdate_JavaScript(t *testing.T) {
	t.Parallel()
	folder := installClient(t)
	f := newPatchFile(t, 2<<20+5)
	g := startNativePatched(t, setup{env: []string{"GATEPASS_UPDATES__CLIENT_RATE=2"}}, f, "ana")
	between := newProxy(t, g.said["native"])
	e := &exampleClient{t, folder, between.listener.Addr().String()}
	old := []string{"ACCOUNT=ana", "PASSWORD=secret", "BUILD=41"}

	refused := e.run(old...)
	refused.say(t, "failed", "RESULT_VERSION_UPDATE")
	refused.end(t, 1)

	dir := t.TempDir()
	path := filepath.Join(dir, f.name())
	var cut sync.WaitGroup
	cut.Go(func() {
		for late := time.Now().Add(patience); time.Now().Before(late); time.Sleep(time.Millisecond) {
			if info, err := os.Stat(path + ".part"); err == nil && info.Size() > 1<<20 {
				between.drop()
				return
			}
		}
	})
	got := e.run(append(old, "UPDATES="+dir)...)
	cut.Wait()
	got.say(t, "update", `"to":42`)
	got.say(t, "resumed", `"at":0`)
	got.say(t, "lost", "")
	got.say(t, "resumed", `"at":1`) // four chunks or more
	got.say(t, "updated", f.name())
	got.end(t, 4)
	f.check(t, path)

	// A part of it that is right, and more that is not.
	must(t, os.Rename(path, path+".part"))
	overwriteAt(t, path+".part", []byte("other"), 600_000)
	again := e.run(append(old, "UPDATES="+dir)...)
	again.say(t, "resumed", `"at":524288`)
	again.say(t, "updated", f.name())
	again.end(t, 4)
	f.check(t, path)
	g.untilIdle()
	g.healthy()
}
