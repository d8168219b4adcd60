package client

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Kind is what sort of rules a world has; the numbers are the contract's.
type Kind uint8

// The kinds.
const (
	KindNormal Kind = iota
	KindPvP
	KindRP
	KindRPPvP
	KindPvE
)

func (k Kind) String() string {
	names := [...]string{"normal", "pvp", "rp", "rp-pvp", "pve"}
	if int(k) < len(names) {
		return names[k]
	}
	return fmt.Sprintf("kind(%d)", uint8(k))
}

// Status is whether a world can be entered; the numbers are the contract's.
type Status uint8

// The states.
const (
	// StatusOnline: it is there.
	StatusOnline Status = iota + 1
	// StatusOffline: it is not there just now.
	StatusOffline
	// StatusMismatch: it does not take this client's build, or no native clients; then
	// World.Address is empty.
	StatusMismatch
)

func (s Status) String() string {
	names := [...]string{"unknown", "online", "offline", "mismatch"}
	if int(s) < len(names) {
		return names[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// World is a world as this client sees it.
type World struct {
	// ID is 1 … 255.
	ID   uint8
	Name string
	// Address is host:port of its gate, empty for a world that takes no native clients.
	Address  string
	Kind     Kind
	Category int
	Status   Status
	Locked   bool
	// Full says that whoever comes waits.
	Full bool
	// Population is how full it is, 0 … 200 percent.
	Population int
	// Queue is how many wait.
	Queue int
	// Characters is how many this account has there.
	Characters int
}

// Enterable tells whether Select may succeed; the server decides.
func (w World) Enterable() bool {
	return w.Status == StatusOnline && w.Address != "" && !w.Locked
}

// Worlds is the live list of worlds of one Session. It stays readable when the
// session has ended, as it was last. All methods may be called from any goroutine.
type Worlds struct {
	mu      sync.Mutex
	list    []World // by rising id; replaced whole, never changed
	version uint64
	stale   bool
	changed chan struct{} // closed at the next change
}

func newWorlds() *Worlds { return &Worlds{stale: true, changed: make(chan struct{})} }

// All is the list by rising id. It belongs to the caller.
func (w *Worlds) All() []World {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

// Get finds a world by its id.
func (w *Worlds) Get(id uint8) (World, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, found := slices.BinarySearchFunc(w.list, id, func(a World, id uint8) int { return int(a.ID) - int(id) })
	if !found {
		return World{}, false
	}
	return w.list[i], true
}

// Version rises with every change of this view, from 0 for a list that has not come
// yet. It is the view's own count and goes on when the session reconnects.
func (w *Worlds) Version() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// Stale tells that the list may be old: the session is away, or the server has not
// heard of the region's manager for a while.
func (w *Worlds) Stale() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stale
}

// Changed is closed at the next change behind this call.
func (w *Worlds) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Wait waits until the version is above since and returns it; or the context's error.
func (w *Worlds) Wait(ctx context.Context, since uint64) (uint64, error) {
	for {
		w.mu.Lock()
		version, changed := w.version, w.changed
		w.mu.Unlock()
		if version > since {
			return version, nil
		}
		select {
		case <-ctx.Done():
			return version, ctx.Err()
		case <-changed:
		}
	}
}

// set replaces what is shown, if it differs. The list must not be changed afterwards.
func (w *Worlds) set(list []World, stale bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.version > 0 && stale == w.stale && slices.Equal(list, w.list) {
		return
	}
	w.list, w.stale = list, stale
	w.version++
	close(w.changed)
	w.changed = make(chan struct{})
}

// setStale marks the list old, if there is one.
func (w *Worlds) setStale() {
	w.mu.Lock()
	list, version := w.list, w.version
	w.mu.Unlock()
	if version > 0 {
		w.set(list, true)
	}
}
