package admin

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"gatepass/patches"
)

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "ab", 2}, {"ab", "", 2}, {"kitten", "sitting", 3}, {"grunt-1-2", "grunt-1-2", 0}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("%q to %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// The commands of the catalogue do over the socket what they do in this process.
func TestPatchCommands(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "update.mpq")
	if err := os.WriteFile(file, bytes.Repeat([]byte("x"), 1000), 0o600); err != nil {
		t.Fatal(err)
	}
	at := &Patches{Dir: filepath.Join(dir, "data", "patches")}
	var log bytes.Buffer
	h := newHandler(Services{Patches: at}, slog.New(slog.NewTextHandler(&log, nil)))
	hmac := strings.Repeat("ab", 20)
	for _, c := range []struct{ command, body, want string }{
		{"patch.add", `{"file":"` + file + `","protocol":"grunt","from":1,"to":2,"take":true,"require":true}`, `"id":"grunt-1-2"}`},
		{"patch.add", `{"file":"` + file + `","protocol":"grunt","from":1,"to":2,"replace":true}`, `"id":"grunt-1-2","replaced":true}`},
		{"patch.add", `{"file":"` + file + `","protocol":"grunt","from":1,"to":2}`, `"error":"internal"}`},
		{"patch.add", `{"file":"` + file + `","protocol":"none","from":1,"to":2}`, `"error":"internal"}`},
		{"patch.mark", `{"builds":[2,3],"protocol":"grunt","status":"current"}`, `200 `},
		{"patch.mark", `{"builds":[3],"protocol":"grunt","status":"none"}`, `200 `},
		{"patch.mark", `{"builds":[2,3],"protocol":"grunt","status":"none"}`, `"error":"internal"}`}, // all or none
		{"patch.mark", `{"builds":[2],"protocol":"grunt","status":"new"}`, `"error":"internal"}`},
		{"patch.know-files", `{"build":1,"platform":"Win-x86","hmac":"` + hmac + `"}`, `200 `},
		{"patch.know-files", `{"build":1,"platform":"Win-x86","hmac":"ab"}`, `"error":"internal"}`},
		{"patch.know-files", `{"build":7,"platform":"Win-x86","hmac":"` + hmac + `"}`, `200 `},
		{"patch.forget-files", `{"build":7,"platform":"Win-x86"}`, `200 `},
		{"patch.forget-files", `{"build":7,"platform":"Win-x86"}`, `"error":"internal"}`},
		{"patch.remove", `{"ids":["grunt-1-2","grunt-1-3"]}`, `"error":"internal"}`},
	} {
		if got := answer(h, c.command, c.body); !strings.HasSuffix(got, c.want) && got+" " != c.want {
			t.Errorf("%s %s: %s, want %s", c.command, c.body, got, c.want)
		}
	}
	cat, err := patches.Load(at.Dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cat.Patches) != 1 || cat.Patches[0].Taken || len(cat.Marks) != 2 || len(cat.Known) != 1 {
		t.Errorf("the catalogue holds %+v", cat)
	}
	want := `200 {"id":"grunt-1-2","from":1,"protocol":"grunt","file":"` + file + `","taken":false}`
	if got := answer(h, "patch.remove", `{"ids":["grunt-1-2"]}`); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	for _, audit := range []string{"add-patch", "mark-build", "know-files", "forget-files", "remove-patch"} {
		if !strings.Contains(log.String(), "change="+audit) {
			t.Errorf("%s is not in the log", audit)
		}
	}
}

func TestFindPatches_SuggestsTheOneThatIsMeant(t *testing.T) {
	cat := &patches.Catalogue{Patches: []patches.Patch{{ID: "grunt-1-2"}}}
	if _, err := FindPatches(cat, []string{"grunt-1-3", "other"}); err == nil ||
		!strings.Contains(err.Error(), "did you mean grunt-1-2?") || !strings.Contains(err.Error(), `"other"; 'gatepass patch list'`) {
		t.Error(err)
	}
	if _, err := FindPatches(&patches.Catalogue{}, []string{"x"}); err == nil || !strings.Contains(err.Error(), "has none") {
		t.Error(err)
	}
	if found, err := FindPatches(cat, []string{"grunt-1-2"}); err != nil || found[0] != &cat.Patches[0] {
		t.Error(found, err)
	}
}
