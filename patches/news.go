package patches

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
)

// news is one log line about a change of the catalogue.
type news struct {
	text string
	args []any
}

// tellNews logs what an edit has changed, so that the log shows later which rules held when.
func (w *watcher) tellNews(old, now *Catalogue) {
	all := slices.Concat(newsOfPatches(old, now), newsOfMarks(old, now), newsOfKnown(old, now))
	for _, n := range all[:min(len(all), maxNews)] {
		w.say(slog.LevelInfo, n.text, n.args...)
	}
	if more := len(all) - maxNews; more > 0 {
		w.say(slog.LevelInfo, "more of the catalogue of patches has changed", "changes", more)
	}
}

func newsOfPatches(old, now *Catalogue) (all []news) {
	for i := range now.Patches {
		p := &now.Patches[i]
		switch before := old.Find(p.ID); {
		case before == nil:
			all = append(all, news{"patch added", []any{"patch", p.ID, "bytes", p.Size}})
		case !before.same(p):
			all = append(all, news{"patch replaced", []any{"patch", p.ID, "bytes", p.Size}})
		}
	}
	for i := range old.Patches {
		if id := old.Patches[i].ID; now.Find(id) == nil {
			all = append(all, news{"patch removed", []any{"patch", id}})
		}
	}
	return all
}

func newsOfMarks(old, now *Catalogue) (all []news) {
	for _, m := range now.Marks {
		if !slices.Contains(old.Marks, m) {
			all = append(all, news{"build marked", []any{"build", m.Build, "clients", m.Scope.String(), "status", m.Status.String()}})
		}
	}
	for _, m := range old.Marks {
		if !slices.ContainsFunc(now.Marks, func(n Mark) bool { return compareMarks(m, n) == 0 }) {
			all = append(all, news{"mark of a build taken back", []any{"build", m.Build, "clients", m.Scope.String()}})
		}
	}
	return all
}

// newsOfKnown returns one line for each build and platform. The hashes are left out, because
// only operators who edit need them.
func newsOfKnown(old, now *Catalogue) (all []news) {
	count := func(c *Catalogue, k Known) (n int) {
		for _, l := range c.Known {
			if l.Build == k.Build && l.Platform == k.Platform {
				n++
			}
		}
		return n
	}
	told := map[string]bool{}
	for _, k := range slices.Concat(old.Known, now.Known) {
		before, after := count(old, k), count(now, k)
		if before == after || told[k.String()] {
			continue
		}
		told[k.String()] = true
		all = append(all, news{"known files of clients changed", []any{"build", k.Build, "platform", cmp.Or(k.Platform, "any"), "hashes", after}})
	}
	return all
}

// say logs a line, unless it is the same as the one before.
func (w *watcher) say(level slog.Level, text string, args ...any) {
	if line := fmt.Sprint(append([]any{text}, args...)...); line != w.lastSaid {
		w.lastSaid = line
		w.o.Logger.Log(context.Background(), level, text, args...)
	}
}

// told is what was last logged about a problem.
type told struct {
	text string
	// trouble is set if more was logged than that a file is read again.
	trouble bool
}

// troubles returns the problems that keep patches from being offered, by ID, and under "" the
// problem that keeps the catalogue from being read.
func (w *watcher) troubles() map[string]error {
	troubles := map[string]error{}
	if w.fault != nil {
		troubles[""] = w.fault
	}
	for i := range w.files {
		if e := &w.files[i]; e.Err != nil {
			troubles[e.Patch.ID] = e.Err
		}
	}
	return troubles
}

// tell logs each problem once when it begins, and once when it is over.
func (w *watcher) tell() {
	troubles := w.troubles()
	for key, err := range troubles {
		before := w.told[key]
		if before.text == err.Error() {
			continue
		}
		w.told[key] = told{err.Error(), before.trouble || stateOf(err) != StateChecking}
		w.tellTrouble(key, err)
	}
	for key, t := range w.told {
		if troubles[key] == nil {
			delete(w.told, key)
			w.tellOver(key, t)
		}
	}
}

func (w *watcher) tellTrouble(key string, err error) {
	switch {
	case key == "" && errors.Is(err, errGone):
		w.say(slog.LevelError, "the catalogue is gone; what was read before goes on until it is back", "error", err)
	case key == "":
		w.say(slog.LevelError, "the catalogue of patches cannot be used; what was read before goes on", "error", err)
	case stateOf(err) == StateChecking:
		w.say(slog.LevelInfo, "a patch is read anew before it is offered", "patch", key, "error", err)
	default:
		w.say(slog.LevelError, "a patch cannot be offered", "patch", key, "error", err)
	}
}

// tellOver logs the end of a problem. It logs nothing for a patch that is no longer in the
// catalogue, because its removal was logged.
func (w *watcher) tellOver(key string, t told) {
	switch {
	case key != "" && w.catalogue.Find(key) == nil:
	case t.trouble:
		w.say(slog.LevelInfo, "trouble with patches is over", "patch", cmp.Or(key, catalogueName))
	default:
		w.say(slog.LevelInfo, "a patch was read and is offered", "patch", key)
	}
}
