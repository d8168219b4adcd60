package native

import (
	"google.golang.org/protobuf/encoding/protowire"

	"gatepass/codec"
)

// WorldKind is the type of rules of a world. The numbers are those of the contract.
type WorldKind uint8

// The kinds of worlds.
const (
	WorldNormal WorldKind = iota
	WorldPvP
	WorldRP
	WorldRPPvP
	WorldPvE
)

// WorldStatus says whether a client can enter a world. The numbers are those of the contract.
type WorldStatus uint8

const (
	// StatusOnline: the client can enter the world.
	StatusOnline WorldStatus = iota + 1
	// StatusOffline: the world is not connected at the moment.
	StatusOffline
	// StatusMismatch: the world does not accept the client's build.
	StatusMismatch
)

// World is a world as shown to a group of clients.
type World struct {
	// ID is 1 … 255.
	ID uint8
	// Name, at most 64 bytes, is shown to players.
	Name string
	// Address is the host:port of the gate, at most 128 bytes; empty if the world accepts no
	// native clients.
	Address string
	Kind    WorldKind
	// Category is the tab under which the world is listed.
	Category uint8
	Status   WorldStatus
	Locked   bool
	// Full marks the world as full, whatever its population.
	Full bool
	// PopulationPercent is 0 … 200.
	PopulationPercent uint8
	// Queue is the number of clients in the world's queue.
	Queue uint32
}

// WorldDelta is the difference between version From and version To of a list of worlds.
type WorldDelta struct {
	From, To uint64
	// Changed has the worlds that are new or have changed, Removed the ids of worlds that are
	// gone.
	Changed []World
	Removed []uint8
	// Stale says that the region's manager has been silent for a while.
	Stale bool
}

// AppendWorldSnapshot appends a ServerFrame with the whole list, worlds in order of id, to
// dst. The result is a body for AppendFrame, and the same for all clients that see the same
// worlds. It may be called from any goroutine.
func AppendWorldSnapshot(dst []byte, version uint64, stale bool, worlds []World) []byte {
	dst, at := begin(dst, fieldWorldSnapshot)
	dst = appendNumber(dst, 1, version)
	dst = appendWorlds(dst, 2, worlds)
	return end(appendBool(dst, 3, stale), at)
}

// AppendWorldDelta appends a ServerFrame with a change of the list, like AppendWorldSnapshot.
func AppendWorldDelta(dst []byte, d *WorldDelta) []byte {
	dst, at := begin(dst, fieldWorldDelta)
	dst = appendNumber(dst, 1, d.From)
	dst = appendNumber(dst, 2, d.To)
	dst = appendWorlds(dst, 3, d.Changed)
	dst = appendPacked(dst, 4, d.Removed)
	return end(appendBool(dst, 5, d.Stale), at)
}

func appendWorlds(dst []byte, num protowire.Number, worlds []World) []byte {
	for i := range worlds {
		dst = appendWorld(dst, num, &worlds[i])
	}
	return dst
}

// appendWorld: World{id, name, address, kind, category, status, locked, full,
// population_percent, queue}.
func appendWorld(dst []byte, num protowire.Number, w *World) []byte {
	dst, at := begin(dst, num)
	dst = appendNumber(dst, 1, uint64(w.ID))
	dst = appendBytes(dst, 2, w.Name)
	dst = appendBytes(dst, 3, w.Address)
	dst = appendNumber(dst, 4, uint64(w.Kind))
	dst = appendNumber(dst, 5, uint64(w.Category))
	dst = appendNumber(dst, 6, uint64(w.Status))
	dst = appendBool(dst, 7, w.Locked)
	dst = appendBool(dst, 8, w.Full)
	dst = appendNumber(dst, 9, uint64(w.PopulationPercent))
	return end(appendNumber(dst, 10, uint64(w.Queue)), at)
}

// appendPacked writes a repeated number as one packed field.
func appendPacked(dst []byte, num protowire.Number, list []uint8) []byte {
	if len(list) == 0 {
		return dst
	}
	dst, at := begin(dst, num)
	for _, v := range list {
		dst = protowire.AppendVarint(dst, uint64(v))
	}
	return end(dst, at)
}

// appendCharacters: Characters{counts}, each Count{world, count}.
func appendCharacters(dst []byte, counts []codec.CharacterCount) []byte {
	dst, at := begin(dst, fieldCharacters)
	for _, c := range counts {
		var one int
		dst, one = begin(dst, 1)
		dst = appendNumber(dst, 1, uint64(c.World))
		dst = end(appendNumber(dst, 2, uint64(c.Count)), one)
	}
	return end(dst, at)
}

// appendPassIssued: PassIssued{world, address, pass, validity_ms}.
func appendPassIssued(dst []byte, r *codec.Reply) []byte {
	dst, at := begin(dst, fieldPassIssued)
	dst = appendNumber(dst, 1, clamp(r.Number))
	dst = appendBytes(dst, 2, r.Native.Address)
	dst = appendBytes(dst, 3, r.Native.Pass[:])
	return end(appendNumber(dst, 4, uint64(r.Native.Validity)), at)
}

// appendSelectRefused: SelectRefused{world, reason, alternatives}.
func appendSelectRefused(dst []byte, r *codec.Reply) []byte {
	dst, at := begin(dst, fieldSelectRefused)
	dst = appendNumber(dst, 1, clamp(r.Number))
	dst = appendNumber(dst, 2, uint64(r.Native.Reason))
	return end(appendPacked(dst, 3, r.Native.Alternatives), at)
}
