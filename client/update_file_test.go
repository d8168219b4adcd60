package client_test

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"

	"gatepass/client"
)

// What keeps the file from its place is named, and nothing of it is touched.
func TestUpdate_FilesInTheWay(t *testing.T) {
	file, part := someFile(250_000, 1), updateName+".part"
	write := func(name string, content []byte) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	folder := func(name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	link := func(to, name string) func(t *testing.T, dir string) {
		return func(t *testing.T, dir string) {
			if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
				if runtime.GOOS != "windows" { // where not every user may make links
					t.Fatal(err)
				}
				t.Skip("no right to make links: ", err)
			}
		}
	}
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string)
		o       client.DownloadOptions
		at      string // of the file that is named
		want    error
	}{
		"another file":         {write(updateName, file[1:]), client.DownloadOptions{}, updateName, client.ErrInTheWay},
		"one of its size":      {write(updateName, someFile(250_000, 2)), client.DownloadOptions{}, updateName, client.ErrInTheWay},
		"a folder":             {folder(updateName), client.DownloadOptions{}, updateName, client.ErrInTheWay},
		"a folder for part":    {folder(part), client.DownloadOptions{}, part, client.ErrInTheWay},
		"a link":               {link("elsewhere", updateName), client.DownloadOptions{}, updateName, client.ErrInTheWay},
		"a link for part":      {link("../outside", part), client.DownloadOptions{}, part, client.ErrInTheWay},
		"no folder":            {nil, client.DownloadOptions{Dir: "nowhere"}, "nowhere", fs.ErrNotExist},
		"a path for a name":    {nil, client.DownloadOptions{Name: "../x"}, "../x", client.ErrFileName},
		"a folder for a name":  {nil, client.DownloadOptions{Name: ".."}, "..", client.ErrFileName},
		"a stream for a name":  {nil, client.DownloadOptions{Name: "x:y"}, "x:y", client.ErrFileName},
		"a folder, not a path": {write("taken", nil), client.DownloadOptions{Dir: "taken"}, "taken", nil},
	} {
		bubble(t, name, func(t *testing.T) {
			f := updating(file, (*updater).serve)
			offer, outer := f.offered(t, f.takingUpdates()), t.TempDir()
			dir := filepath.Join(outer, "inner")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if c.prepare != nil {
				c.prepare(t, dir)
			}
			before, _ := os.ReadDir(dir)
			c.o.Dir = filepath.Join(dir, c.o.Dir)
			_, err := offer.Download(t.Context(), c.o)
			var named *client.UpdateFileError
			if !errors.As(err, &named) || !strings.HasSuffix(named.Path, c.at) || c.want != nil && !errors.Is(err, c.want) {
				t.Errorf("got %v", err)
			} else if strings.Count(err.Error(), c.at) != 1 {
				t.Errorf("it is named other than once: %v", err)
			}
			if after, _ := os.ReadDir(dir); len(after) != len(before) {
				t.Errorf("there were %v, are %v", before, after)
			}
			if _, err := os.Lstat(filepath.Join(outer, "outside")); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("a file outside of the folder: %v", err)
			}
		})
	}
}

// Two programs that want one file do not write over each other.
func TestUpdate_OneProgramAtATime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		first := updating(someFile(250_000, 1), func(u *updater) {
			u.offer(offerOf(u.file))
			u.accepted()
			u.send(0, 120_000)
			u.wanted()
		})
		ctx, cancel := context.WithCancel(t.Context())
		over, going := make(chan error, 1), make(chan struct{})
		offer := first.offered(t, first.takingUpdates())
		go func() {
			_, err := offer.Download(ctx, client.DownloadOptions{Dir: dir, Progress: func(p client.UpdateProgress) {
				if p.Done == 120_000 {
					close(going)
				}
			}})
			over <- err
		}()
		<-going
		second := updating(someFile(250_000, 2), (*updater).serve)
		_, err := second.offered(t, second.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir})
		wantErr(t, err, client.ErrUpdateHeld)
		cancel()
		wantErr(t, <-over, context.Canceled)
		wantFiles(t, dir, map[string][]byte{updateName + ".part": someFile(250_000, 1)[:100_000]})
	})
}

// A file of the caller's naming, that a name of the server's does not matter for.
func TestUpdate_ByANameOfTheCaller(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f, dir := updating(someFile(250_000, 1), (*updater).serve), t.TempDir()
		path, err := f.offered(t, f.takingUpdates()).Download(t.Context(), client.DownloadOptions{Dir: dir, Name: "mine", Window: 1 << 30})
		if err != nil || path != filepath.Join(dir, "mine") {
			t.Errorf("got %q, %v", path, err)
		}
		wantFiles(t, dir, map[string][]byte{"mine": someFile(250_000, 1)})
	})
}
