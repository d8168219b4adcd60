package patch

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"gatepass/patches"
)

func TestExplain_NamesTheMend(t *testing.T) {
	for want, err := range map[string]error{
		"nothing was changed":                          &os.PathError{Op: "write", Path: "f", Err: unix.ENOSPC},
		"run this as the user that the server runs as": &os.PathError{Op: "open", Path: "f", Err: unix.EACCES},
		"must be on a disk that can be written to":     &os.PathError{Op: "open", Path: "f", Err: unix.EROFS},
		"look at the path":                             &os.PathError{Op: "open", Path: "f", Err: unix.ENOENT},
		"give a file":                                  &os.PathError{Op: "read", Path: "f", Err: unix.EISDIR},
	} {
		if got := explain(err, "d").Error(); !strings.HasPrefix(got, err.Error()) || !strings.Contains(got, want) {
			t.Errorf("%v: %q does not say %q", err, got, want)
		}
	}
	if err := explain(nil, "d"); err != nil {
		t.Errorf("no error became %v", err)
	}
}

func TestFilesInOrder(t *testing.T) {
	for files, good := range map[string]bool{
		"Win-x86 c/WoW.exe c/fmod.dll c/ijl15.dll c/dbghelp.dll c/unicows.dll": true,
		"Win-x64 wow.exe FMOD.dll ijl15.dll dbghelp.dll unicows.dll":           true,
		"OSX-x86 wow.exe fmod.dll ijl15.dll dbghelp.dll unicows.dll":           false,
		"Win-x86 fmod.dll wow.exe ijl15.dll dbghelp.dll unicows.dll":           false,
		"Win-x86 wow.exe wow.exe fmod.dll ijl15.dll dbghelp.dll":               false,
		"Win-x86 wow.exe":            false,
		"Win-x86 joined.bin":         false,
		"OSX-PPC Info.plist PkgInfo": false,
		"Lnx-x86 wow.exe fmod.dll ijl15.dll dbghelp.dll unicows.dll": false,
	} {
		words := strings.Fields(files)
		if err := filesInOrder(words[0], words[1:]); (err == nil) != good {
			t.Errorf("%s: %v", files, err)
		}
	}
	mac := []string{"MacOS/World of Warcraft", "Info.plist", "Main.nib/objects.xib", "wow.icns", "PkgInfo"}
	if err := filesInOrder("OSX-PPC", mac); err != nil {
		t.Error(err)
	}
}

// The printed JSON has the same fields as the documented JSON.
func TestPatchJSON_IsDocumented(t *testing.T) {
	text, err := os.ReadFile("../../../../../docs/updates-reference.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, printed := range []any{listJSON{}, patchJSON{Problem: "p"}, markJSON{}, buildJSON{}, knownJSON{}} {
		b, err := json.Marshal(printed)
		if err != nil {
			t.Fatal(err)
		}
		var fields map[string]any
		if err := json.Unmarshal(b, &fields); err != nil {
			t.Fatal(err)
		}
		for field := range fields {
			if !strings.Contains(string(text), "`"+field+"`") {
				t.Errorf("docs/updates-reference.md does not tell of %s of %s", field, reflect.TypeOf(printed))
			}
		}
	}
}

// For every scope in the list, a build and its result agree with the server's set.
func TestJudgements_NarrowerLinesOnlyWhereTheyDiffer(t *testing.T) {
	at := &catalogueAt{dir: filepath.Join(t.TempDir(), "patches"), defaults: patches.Defaults{Grunt: []uint16{5875}}}
	mark := func(build uint16, platform, locale string, status patches.Status) {
		t.Helper()
		err := at.service().Patches.Edit(t.Context(), func(c *patches.Catalogue) error {
			return c.Mark(patches.Mark{Scope: patches.Scope{Platform: platform, Locale: locale}, Build: build, Status: status})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	mark(1, "", "", patches.StatusRefused)
	mark(1, "Win-x86", "", patches.StatusAccepted)
	mark(1, "", "deDE", patches.StatusRefused)
	mark(1, "Win-x86", "deDE", patches.StatusCurrent)
	mark(2, "", "frFR", patches.StatusCurrent)
	v, err := at.view()
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, j := range v.judgements() {
		lines = append(lines, strings.Join([]string{scopeText(j.Scope), j.status.String(), j.text()}, ": "))
	}
	want := []string{
		"grunt: refused: refused", "grunt deDE: refused: refused", "grunt Win-x86: accepted: let in", "grunt Win-x86 deDE: current: let in",
		"grunt: refused: refused", "grunt frFR: current: let in",
		"grunt: accepted: let in",
	}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("the lines are\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}
