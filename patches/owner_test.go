package patches

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

// New files and folders belong to the data folder's owner, and everybody may read them.
func TestEdit_HandsOverWhatItMakes(t *testing.T) {
	if os.Geteuid() != 0 {
		if os.Getenv("CI") != "" {
			t.Fatal("CI must run this as root")
		}
		t.Skip("only root may give files away: sudo -E go test -run HandsOver ./patches")
	}
	data, path := filepath.Join(t.TempDir(), "data"), filepath.Join(t.TempDir(), "patch")
	must(t, os.Mkdir(data, 0o700))
	must(t, os.Chown(data, 12345, 23456))
	dir := filepath.Join(data, "patches")
	mustWrite(t, path, 10)
	p, err := Take(t.Context(), dir, path, nil)
	must(t, err)
	p.From, p.To = 1, 2
	must(t, Edit(t.Context(), dir, func(c *Catalogue) error { return c.Add(p) }))
	for name, mode := range map[string]uint32{".": folderMode, lockName: fileMode, catalogueName: fileMode, p.Path: fileMode} {
		var st unix.Stat_t
		must(t, unix.Stat(filepath.Join(dir, name), &st))
		if st.Uid != 12345 || st.Gid != 23456 || uint32(st.Mode)&0o777 != mode {
			t.Errorf("%s is %d:%d's, mode %o", name, st.Uid, st.Gid, st.Mode)
		}
	}
}

// An existing folder keeps its owner and mode.
func TestEdit_LeavesAFolderThatIsThere(t *testing.T) {
	dir := t.TempDir()
	must(t, os.Chmod(dir, 0o750))
	must(t, Edit(t.Context(), dir, markBuild(1)))
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o750 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}
