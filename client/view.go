package client

import (
	"context"
	"fmt"
	"slices"
	"sync"
)

// Kind is the kind of rules of a world. Its numbers are those of the protocol.
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

// Status says whether a world can be entered. Its numbers are those of the protocol.
type Status uint8

// The states.
const (
	// StatusOnline: the world is online.
	StatusOnline Status = iota + 1
	// StatusOffline: the world is offline.
	StatusOffline
	// StatusMismatch: the world does not accept this client's build, or no native clients at
	// all; then World.Address is empty.
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
	// ID is 1 to 255.
	ID   uint8
	Name string
	// Address is host:port of the world's gate. It is empty if the world accepts no native
	// clients.
	Address  string
	Kind     Kind
	Category int
	Status   Status
	Locked   bool
	// Full says that players who enter must wait in a queue.
	Full bool
	// Population is how full the world is, 0 to 200 percent.
	Population int
	// Queue is how many players wait.
	Queue int
	// Characters is how many characters the account has in the world.
	Characters int
}

// Enterable reports whether Select may succeed. The server decides.
func (w World) Enterable() bool {
	return w.Status == StatusOnline && w.Address != "" && !w.Locked
}

// Worlds is the live list of worlds of one Session. After the end of the session it keeps
// the last list. Any goroutine may call its methods.
type Worlds struct {
	mu      sync.Mutex
	list    []World // by rising id; replaced as a whole, never changed
	version uint64
	stale   bool
	changed chan struct{} // closed at the next change
}

func newWorlds() *Worlds { return &Worlds{stale: true, changed: make(chan struct{})} }

// All returns a copy of the list, by rising id.
func (w *Worlds) All() []World {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.list)
}

// Get returns the world with the id; false if there is none.
func (w *Worlds) Get(id uint8) (World, bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i, found := slices.BinarySearchFunc(w.list, id, func(a World, id uint8) int { return int(a.ID) - int(id) })
	if !found {
		return World{}, false
	}
	return w.list[i], true
}

// Version rises with every change of the list. It is 0 before the first list. It is not the
// server's version, and it continues when the session reconnects.
func (w *Worlds) Version() uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.version
}

// Stale reports whether the list may be old: the session has no connection, or the server
// has not received news from the region's manager for some time.
func (w *Worlds) Stale() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.stale
}

// Changed returns a channel that is closed at the next change after this call.
func (w *Worlds) Changed() <-chan struct{} {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.changed
}

// Wait waits until the version is above since and returns it. It returns the context's error
// if ctx ends first.
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

// set replaces the list, if it differs. The caller must not change it afterwards.
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

// setStale marks the list as stale, if there is one.
func (w *Worlds) setStale() {
	w.mu.Lock()
	list, version := w.list, w.version
	w.mu.Unlock()
	if version > 0 {
		w.set(list, true)
	}
}
