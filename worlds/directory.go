package worlds

import (
	"time"

	"gatepass/codec"
)

// Directory is where each account's key is.
type Directory struct {
	options DirectoryOptions
}

// SecondLogin is the operator's rule for a login to an account that is in.
type SecondLogin uint8

const (
	// SecondLoginReplace: the newer login ends the older.
	SecondLoginReplace SecondLogin = iota
	// SecondLoginRefuse: while the older one is in a world, it stays and the newer
	// is ended.
	SecondLoginRefuse
)

// DirectoryOptions configure a Directory.
type DirectoryOptions struct {
	SecondLogin SecondLogin
	WaitLimit   time.Duration
	MaxWaiting  int
	MaxEntries  int
}

// DirectoryEffect is what the directory has to tell a node: exactly one of Place
// and End is set.
type DirectoryEffect struct {
	To    Node
	Place *Place
	End   *End
}

// DirectoryStats are for metrics.
type DirectoryStats struct {
	Entries, Parked int
	ByNode          map[Node]int
}

func NewDirectory(o DirectoryOptions) *Directory { return &Directory{options: o} }

func (d *Directory) Announce(from Node, incarnation uint64, a *Announcement, now int64) {}
func (d *Directory) NodeGone(node Node)                                                 {}
func (d *Directory) Locate(from Node, l *Locate, now int64)                             {}
func (d *Directory) End(e *AccountEnd)                                                  {}
func (d *Directory) Tick(now int64)                                                     {}
func (d *Directory) Effects() []DirectoryEffect                                         { return nil }
func (d *Directory) Find(account codec.Name) (Place, bool)                              { return Place{}, false }
func (d *Directory) Stats() DirectoryStats                                              { return DirectoryStats{} }
