package e2e

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	native "gatepass/client"
	"gatepass/codec"
)

// mustNotBeOffered waits until a native client of the build is refused: there is no way
// for it.
func (g *gatepass) mustNotBeOffered(account string, build uint16) {
	g.t.Helper()
	eventually(g.t, fmt.Sprintf("build %d is refused", build), func() bool {
		_, err := signIn(g.t, g.said["native"], native.Credentials{Account: account, Password: "secret"}, agedOptions(build))
		if offer := (*native.UpdateOffer)(nil); errors.As(err, &offer) {
			must(g.t, offer.Close())
		}
		return errors.Is(err, &native.RefusedError{Result: codec.ResultVersionInvalid})
	})
}

// overwriteAt puts bytes into a file as it is.
func overwriteAt(t testing.TB, path string, content []byte, at int64) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	must(t, err)
	_, err = f.WriteAt(content, at)
	must(t, errors.Join(err, f.Close()))
}

// TestUpdate_File: what happens to a patch's file while it is sent. Who was sent a part
// of it never gets a mixture, and the next one is offered nothing that is not what was
// added.
func TestUpdate_File(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name string
		harm func(t testing.TB, path string)
		// changed: those under way are told so; else they get what they were offered.
		changed bool
	}{
		{"overwritten", func(t testing.TB, path string) { overwriteAt(t, path, []byte("other"), 0) }, true},
		{"truncated", func(t testing.TB, path string) { must(t, os.Truncate(path, 900_000)) }, true},
		{"removed", func(t testing.TB, path string) { must(t, os.Remove(path)) }, false},
		{"replaced", func(t testing.TB, path string) {
			must(t, os.Rename(newPatchFile(t, 1<<20).path, path))
		}, false},
	}
	data := filepath.Join(t.TempDir(), "data")
	files := make([]*patchFile, len(cases))
	for i := range cases {
		files[i] = newPatchFile(t, 1<<20)
		addPatch(t, data, fmt.Sprintf("--from %d --to 5875", 5302+i), files[i])
		addPatch(t, data, fmt.Sprintf("--protocol native --from %d --to 99", oldBuild+i), files[i])
	}
	g := start(t, setup{data: data})
	g.addNative("ana", "secret")
	for i, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			f, e, build := files[i], aged, uint16(oldBuild+i)
			e.build += uint16(i)
			existing := dialNarrow(t, g.grunt, e)
			existing.offered(demo, f)
			existing.send(acceptFile)
			begun := existing.frames(100_000)
			own := startDownload(t, offeredTo(t, g.said["native"], "ana", build))
			own.untilHalf()
			c.harm(t, f.path)
			path, err := own.result()
			if c.changed {
				if !errors.Is(err, native.ErrUpdateChanged) {
					t.Errorf("a native client is told %v", err)
				}
				if came := len(existing.rest()); len(begun)+came >= len(f.content) {
					t.Errorf("an existing client got %d bytes", len(begun)+came)
				}
			} else {
				must(t, err)
				f.check(t, path)
				existing.mustGet(f.content[len(begun):])
			}
			g.untilAnswered(e, 9)
			g.mustNotBeOffered("ana", build)
			g.untilComplained(fmt.Sprintf("native-%d-99", build))
		})
	}
	// What is again what was added is offered again.
	overwriteAt(t, files[0].path, files[0].content, 0)
	g.untilAnswered(aged, 0)
	f := files[0]
	c := dial(t, g.grunt, aged)
	c.offered(demo, f)
	c.send(acceptFile)
	c.mustGet(f.content)
	c.close()
	if n := g.metric("gatepass_updates_failed_total", "reason", "changed"); n != 4 {
		t.Errorf("%v updates are counted as changed, 4 were", n)
	}
	g.untilIdle()
	g.healthy()
}

// TestUpdate_NoFile: a server without a patch's file starts, says so, and offers it when
// it is there.
func TestUpdate_NoFile(t *testing.T) {
	t.Parallel()
	missing, folder := newPatchFile(t, 1000), newPatchFile(t, 2000)
	data := filepath.Join(t.TempDir(), "data")
	addPatch(t, data, wayVanilla, missing)
	addPatch(t, data, wayTBC, folder)
	for _, f := range []*patchFile{missing, folder} {
		must(t, os.Rename(f.path, f.path+".away"))
	}
	must(t, os.Mkdir(folder.path, 0o700))
	g := start(t, setup{data: data})
	for _, f := range []*patchFile{missing, folder} {
		g.untilComplained(f.path)
	}
	for _, e := range []edition{aged, agedTBC} {
		c := dial(t, g.grunt, e)
		c.send(c.hello(0x00, demo.name))
		c.expect([]byte{0, 0, 9})
		c.expectClosed()
	}
	g.healthy()
	must(t, os.Remove(folder.path))
	for _, f := range []*patchFile{missing, folder} {
		must(t, os.Rename(f.path+".away", f.path))
	}
	for e, f := range map[*edition]*patchFile{&aged: missing, &agedTBC: folder} {
		g.untilAnswered(*e, 0)
		c := dial(t, g.grunt, *e)
		c.offered(demo, f)
		c.send(acceptFile)
		c.mustGet(f.content)
		c.close()
	}
}

// TestUpdate_BrokenCatalogue: a catalogue that somebody has spoilt changes nothing for a
// server that runs. None starts with it, which could let in whom it refuses.
func TestUpdate_BrokenCatalogue(t *testing.T) {
	t.Parallel()
	f := newPatchFile(t, 1000)
	g := startPatched(t, setup{}, f, wayVanilla)
	path := filepath.Join(g.data, "patches", "catalogue.json")
	good, err := os.ReadFile(path)
	must(t, err)
	const said = "the catalogue of patches cannot be used"
	mustOffer := func() {
		t.Helper()
		c := dial(t, g.grunt, aged)
		c.offered(demo, f)
		c.send(cancelFile)
		c.expectClosed()
	}
	must(t, os.WriteFile(path, good[:len(good)/2], 0o600))
	g.untilSaid(said)
	mustOffer()
	for _, args := range [][]string{{"list"}, {"mark", "5302", "refused"}} {
		code, out := runs(t, append([]string{"patch", args[0], "--data", g.data}, args[1:]...)...)
		if code != 1 || !strings.Contains(out, path) {
			t.Errorf("patch %v: exit code %d, or without the path\n%s", args, code, out)
		}
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, good[:len(good)/2]) {
		t.Errorf("what somebody may still mend is written over: %v", err)
	}
	must(t, os.WriteFile(path, good, 0o600))
	g.untilSaid("trouble with patches is over")
	patch(t, g.data, "remove", "grunt-5302-5875")
	g.untilAnswered(aged, 9)
	g.stop()
	must(t, os.WriteFile(path, good[:len(good)/2], 0o600))
	if code, out := runs(t, devArgs(t, g.data)...); code != 1 || !strings.Contains(out, path) {
		t.Errorf("a start: exit code %d, or without the path\n%s", code, out)
	}
	must(t, os.WriteFile(path, good, 0o600))
	g = start(t, setup{data: g.data})
	mustOffer()
	g.healthy()
}

// TestUpdate_FullDisk: what there is no room for is not added, and nothing is left of
// it; what was there before is offered as before.
func TestUpdate_FullDisk(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	dir := filepath.Join(data, "patches")
	mountSmall(t, dir, "2m")
	large, small := newPatchFile(t, 3<<20), newPatchFile(t, 1<<20)
	g := start(t, setup{data: data})
	mustFail := func(args ...string) {
		t.Helper()
		code, out := runs(t, append([]string{"patch", args[0], "--data", data}, args[1:]...)...)
		if code != 1 || !strings.Contains(out, "no space left") || !strings.Contains(out, dir) {
			t.Errorf("patch %v: exit code %d\n%s", args, code, out)
		}
	}
	mustFail("add", large.path, "--take", "--from", "5302", "--to", "5875")
	if left, err := os.ReadDir(dir); err != nil || len(left) > 1 { // the lock stays
		t.Errorf("left behind: %v, %v", left, err)
	}
	g.healthy()

	patch(t, data, "add", small.path, "--take", "--from", "5302", "--to", "5875")
	must(t, os.Remove(small.path)) // it has been taken
	g.untilAnswered(aged, 0)
	fill(t, filepath.Join(dir, "ballast"))
	mustFail("mark", "5302", "refused")
	mustFail("remove", "grunt-5302-5875")
	c := dial(t, g.grunt, aged)
	c.offered(demo, small)
	c.send(acceptFile)
	c.mustGet(small.content)
	c.close()

	must(t, os.Remove(filepath.Join(dir, "ballast")))
	patch(t, data, "remove", "grunt-5302-5875")
	g.untilAnswered(aged, 9)
	for _, e := range mustReadDir(t, dir) {
		if info, err := e.Info(); err == nil && info.Size() >= int64(len(small.content)) {
			t.Errorf("%s is still there", e.Name())
		}
	}
	g.healthy()
}

func mustReadDir(t testing.TB, dir string) []os.DirEntry {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	return entries
}

// TestUpdate_LetsGo: a patch that is removed while it is sent is sent to the end, and
// then the server keeps neither its file open nor the room on the disk.
func TestUpdate_LetsGo(t *testing.T) {
	t.Parallel()
	data, f := filepath.Join(t.TempDir(), "data"), newPatchFile(t, 1<<20)
	way := append([]string{"add", f.path, "--take"}, strings.Fields(wayVanilla)...)
	patch(t, data, way...)
	g := start(t, setup{data: data})
	deleted := func() (n int) {
		g.mustGet("/debug/pprof/heap?gc=1")
		for _, e := range mustReadDir(t, fmt.Sprintf("/proc/%d/fd", g.cmd.Process.Pid)) {
			to, _ := os.Readlink(fmt.Sprintf("/proc/%d/fd/%s", g.cmd.Process.Pid, e.Name())) // it may be closed by now
			if strings.Contains(to, f.name()) && strings.HasSuffix(to, "(deleted)") {
				n++
			}
		}
		return n
	}
	for range 2 { // a patch that the server found at its start, and one that came later
		c := dialNarrow(t, g.grunt, aged)
		c.offered(demo, f)
		c.send(acceptFile)
		begun := c.frames(100_000)
		patch(t, data, "remove", "grunt-5302-5875")
		g.untilAnswered(aged, 9)
		if deleted() == 0 {
			t.Error("the file under way is not open any more")
		}
		c.mustGet(f.content[len(begun):])
		c.close()
		g.untilIdle()
		eventually(t, "the file is let go", func() bool { return deleted() == 0 })
		patch(t, data, way...)
		g.untilAnswered(aged, 0)
	}
	g.healthy()
}
