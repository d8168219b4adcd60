package pebble

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"gatepass/storage"
	"gatepass/storage/storagetest"
)

// inMemory returns an engine on a new file system in memory. Notes are not synced on
// their own.
func inMemory(testing.TB) storage.Engine {
	return Engine{Options{Dir: "data/store", FS: vfs.NewMem(), FlushEvery: time.Hour}}
}

func TestConformance(t *testing.T) { storagetest.Run(t, inMemory) }

// While the disk works, a Steady does what any store does.
func TestConformance_Steady(t *testing.T) {
	storagetest.Run(t, func(t testing.TB) storage.Engine { return steadyEngine{inMemory(t)} })
}

// steadyEngine opens a Steady where others open a Store.
type steadyEngine struct{ storage.Engine }

func (e steadyEngine) Open(o storage.OpenOptions) (storage.Store, error) {
	if o.ReadOnly {
		return e.Engine.Open(o)
	}
	return e.Serve(o)
}
