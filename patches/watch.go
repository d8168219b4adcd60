package patches

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"
	"slices"
	"time"
)

// WatchOptions are the options of Watch.
type WatchOptions struct {
	// Dir is the catalogue's folder, which need not exist yet.
	Dir      string
	Defaults Defaults
	// Every is how often to look; 0 means 1 s.
	Every time.Duration
	// First is the result of Open. Its files stay open, and its errors are not logged again.
	// With nil, Watch begins by publishing a Set.
	First *Set
	// Logger gets the changes, and each problem once. Nil logs nothing.
	Logger *slog.Logger
	// Publish is called with each new Set, by one goroutine at a time. It may block, which
	// delays the next Set.
	Publish func(*Set)
}

// Watch keeps a Set up to date with its folder until ctx ends. It checks the metadata of the
// catalogue and of each file. Unchanged files stay open from Set to Set. A file that was
// written to is left out at once. A separate goroutine then reads the whole file, one file at
// a time. If the file is the one that was added, it is offered again and its new time is
// recorded. A catalogue that is gone or cannot be read changes nothing: an unmounted disk must
// not let in clients that were refused.
//
// A disk that does not answer may block both goroutines of Watch forever: the one that looks
// and the one that reads. Watch then returns without them half a second after ctx ended. They
// publish nothing after that.
func Watch(ctx context.Context, o WatchOptions) {
	o.Every = cmp.Or(o.Every, defaultEvery)
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	w := &watcher{o: o, told: map[string]told{}, checked: make(chan checked, 1)}
	o.First = nil // this frame lives as long as the watch and would keep the files open
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		w.begin(ctx)
		w.run(ctx)
	}()
	select {
	case <-ended:
		return
	case <-ctx.Done():
	}
	late := time.NewTimer(endWait)
	defer late.Stop()
	select {
	case <-ended:
	case <-late.C:
		o.Logger.Warn("the disk with the patches does not answer; its reader is left behind", "folder", o.Dir)
	}
}

// watcher belongs to the goroutine that Watch starts.
type watcher struct {
	o         WatchOptions
	catalogue Catalogue
	seen      stamp // stamp of the catalogue when read; 0 if there was none
	fault     error // why the catalogue could not be read
	files     []watched
	// told has an entry for each patch that is not offered, by ID; for the catalogue under "".
	told     map[string]told
	lastSaid string
	checking *File // nil if there is none
	checked  chan checked
}

// watched is a patch with its state. Invariant: at most one of File, pending and bad is set.
type watched struct {
	Entry
	// pending is a file that waits to be read or is being read.
	pending *File
	// bad is the stamp of a file that was read and is not the one that was added.
	bad stamp
	// trusted is the stamp of the file when it was last offered; 0 if it never was. A file
	// with a different stamp is read, even if its time is the recorded one: times are coarse
	// and can be set.
	trusted stamp
}

// offer makes the file available to clients.
func (e *watched) offer(f *File) {
	e.File, e.Err, e.trusted = f, nil, f.stamp
}

// checked is the result of reading a file. unrecorded is the reason why its time could not be
// recorded.
type checked struct {
	file            *File
	err, unrecorded error
}

func (w *watcher) begin(ctx context.Context) {
	first := w.o.First
	if first == nil {
		w.publish(ctx)
		return
	}
	w.catalogue, w.seen, w.fault = first.catalogue, first.seen, first.fault
	for _, e := range first.Entries() {
		one := watched{Entry: e}
		if e.File != nil {
			one.offer(e.File)
		}
		w.files = append(w.files, one)
	}
	w.o.First = nil // releases the files that are not offered any more
	for key, err := range w.troubles() {
		w.told[key] = told{err.Error(), true}
	}
	if w.seen != (stamp{}) {
		w.say(slog.LevelInfo, "patches are watched", "offered", first.Counts()[StateOffered], "patches", len(w.files), "marks", len(w.catalogue.Marks))
	}
}

func (w *watcher) run(ctx context.Context) {
	ticker := time.NewTicker(w.o.Every)
	defer ticker.Stop()
	for {
		w.look(ctx)
		select {
		case <-ticker.C:
		case c := <-w.checked:
			if ctx.Err() != nil {
				return
			}
			w.settle(ctx, c)
		case <-ctx.Done():
			if w.checking != nil {
				<-w.checked
			}
			return
		}
	}
}

func (w *watcher) look(ctx context.Context) {
	changed := w.lookAtCatalogue()
	for i := range w.files {
		// If the whole folder is gone, its taken files are gone too.
		if e := &w.files[i]; !e.Patch.Taken || !errors.Is(w.fault, errGone) {
			changed = w.lookAtFile(e) || changed
		}
	}
	if changed {
		w.publish(ctx)
	}
	w.tell()
	w.checkNext(ctx)
}

// errGone means that the catalogue has vanished. Commands never remove it; they leave an empty
// one.
var errGone = errors.New("there is no catalogue any more: bring it back, or begin a new one with gatepass patch")

// lookAtCatalogue reads the catalogue if it has changed, and returns whether there is a new
// one.
func (w *watcher) lookAtCatalogue() bool {
	now, err := stampCatalogue(w.o.Dir)
	if err == nil && now == w.seen {
		w.fault = nil
		return false
	}
	c := Catalogue{}
	if err == nil {
		c, err = load(w.o.Dir)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%s: %w", w.o.Dir, errGone)
	}
	if w.fault = err; err != nil {
		return false
	}
	w.tellNews(&w.catalogue, &c)
	// The stamp is from before the read, so that a later write shows at the next look.
	w.catalogue, w.seen = c, now
	before := w.files
	w.files = make([]watched, len(c.Patches))
	for i := range c.Patches {
		w.files[i].Patch = c.Patches[i]
		for j := range before {
			if p := &before[j].Patch; p.same(&c.Patches[i]) && p.sameWrong(&c.Patches[i]) {
				w.files[i] = before[j]
				w.files[i].Patch = c.Patches[i]
			}
		}
	}
	return true
}

// stampCatalogue returns the stamp of the catalogue, or 0 if there is none.
func stampCatalogue(dir string) (stamp, error) {
	s, err := stampAt(filepath.Join(dir, catalogueName))
	if errors.Is(err, fs.ErrNotExist) {
		return stamp{}, nil
	}
	return s, err
}

// lookAtFile returns whether the file is a different one or in a different state than before.
func (w *watcher) lookAtFile(e *watched) bool {
	s, err := stampAt(e.Patch.File(w.o.Dir))
	if err == nil && (e.File != nil && e.File.stamp == s || e.pending != nil && e.pending.stamp == s || e.bad == s) {
		return false
	}
	before, state := e.File, e.State()
	if e.pending != nil && e.pending != w.checking {
		e.pending.file.Close() // nothing else refers to it
	}
	f, err := openFile(w.o.Dir, &e.Patch)
	if err == nil && e.trusted != (stamp{}) && f.stamp != e.trusted {
		err = unchecked(f)
	}
	e.File, e.Err, e.pending, e.bad = nil, err, f, stamp{}
	if err == nil {
		e.pending = nil
		e.offer(f)
	}
	return e.File != before || e.State() != state
}

// checkNext starts to read a file that waits for it.
func (w *watcher) checkNext(ctx context.Context) {
	if w.checking != nil {
		return
	}
	for i := range w.files {
		if f := w.files[i].pending; f != nil {
			w.checking = f
			go func() { w.checked <- check(ctx, w.o.Dir, f) }()
			return
		}
	}
}

// check reads a file. If it is the one that was added, check records its time, so that it is
// not read again after the next start.
func check(ctx context.Context, dir string, f *File) checked {
	c := checked{file: f, err: f.check(ctx)}
	if c.err == nil {
		c.unrecorded = Edit(ctx, dir, func(c *Catalogue) error {
			if p := c.Find(f.ID); p != nil && p.sameContent(&f.patch) {
				p.Modified, p.Wrong, p.WrongChanged = f.stamp.modified(), "", time.Time{}
			}
			return nil
		})
	}
	return c
}

// settle applies the result of reading a file, unless the file has been replaced meanwhile.
func (w *watcher) settle(ctx context.Context, c checked) {
	w.checking = nil
	i := slices.IndexFunc(w.files, func(e watched) bool { return e.pending == c.file })
	if i < 0 || c.err != nil {
		c.file.file.Close() // nothing else refers to it
	}
	if i < 0 {
		return
	}
	e := &w.files[i]
	e.pending = nil
	if c.err != nil {
		e.Err, e.bad = c.err, c.file.stamp
	} else {
		e.Patch.Modified, e.Patch.Wrong, e.Patch.WrongChanged = c.file.stamp.modified(), "", time.Time{}
		e.offer(c.file)
	}
	if c.unrecorded != nil {
		w.o.Logger.Warn("the time of a patch's file could not be recorded: it will be read anew after the next start", "patch", e.Patch.ID, "error", c.unrecorded)
	}
	w.publish(ctx)
}

// publish publishes the Set, unless ctx has ended: its receiver may be gone then.
func (w *watcher) publish(ctx context.Context) {
	if ctx.Err() != nil {
		return
	}
	entries := make([]Entry, len(w.files))
	for i := range w.files {
		entries[i] = w.files[i].Entry
	}
	w.o.Publish(makeSet(&w.catalogue, entries, w.o.Defaults))
}
