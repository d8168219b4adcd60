package worlds

import "gatepass/codec"

// What worlds, managers and login servers tell each other over the bus, as Go
// values. How they look there, and under which subject, is the bus's business
// (worlds/bus, docs/bus-protocol.md).

// Registration is what a world says of itself when it joins.
type Registration struct {
	World
	// Region is where it runs, shown to operators only.
	Region string
	// Incarnation is drawn anew at every start of the world: it tells a world
	// that came back from one that never left.
	Incarnation uint64
	// Capacity is how many players it takes at once, at least 1.
	Capacity uint32
}

// Beat is a world's heartbeat.
type Beat struct {
	Incarnation uint64
	// Population is how many players are in, Queue how many wait.
	Population, Queue uint32
	// Load is how busy it is, 0 … 1.
	Load float32
	// Leaving says that the world shuts down in order and is offline from now on.
	Leaving bool
}

// Version orders what a manager says of the worlds. Epoch rises with every new
// leading manager, Seq with every change within it.
type Version struct{ Epoch, Seq uint64 }

// Entry is one world as the manager lists it.
type Entry struct {
	Registration
	// Population and Queue are of the last heartbeat.
	Players, Queue uint32
	Load           float32
}

// Change is one step of the list. Exactly one of Entry and Reset is set.
type Change struct {
	Version Version
	// Entry replaces the world of the same id, or adds it.
	Entry *Entry
	// Reset empties the list: maintenance.
	Reset bool
}

// Snapshot is the whole list.
type Snapshot struct {
	Version Version
	Entries []Entry
	// VoucherKey is the region's, for a login server that asks; empty for others. Who
	// takes the snapshot wipes it.
	VoucherKey Secret
}

// Pulse tells that the manager is there and how far its list is.
type Pulse struct{ Version Version }

// Announcement tells the directory where an account's key is.
type Announcement struct {
	Account codec.Name
	Stamp   Stamp
	Hop     uint32
	Kind    AnnouncementKind
	// Voucher is what a world has of the key, without which it is not believed. Login
	// servers need none.
	Voucher Voucher
}

// AnnouncementKind says what an Announcement says.
type AnnouncementKind uint8

const (
	// AnnounceFresh: the account has just logged in here; whatever was known is
	// out of date, and whoever holds an older key is told so.
	AnnounceFresh AnnouncementKind = iota
	// AnnounceMoved: the key has just moved here.
	AnnounceMoved
	// AnnounceHeld: the key is here, as before: the directory has asked.
	AnnounceHeld
	// AnnounceGone: the key that was here is wiped.
	AnnounceGone
	// AnnounceRenewed: the login server's own client, that may be in a world by now,
	// has another key here. Whoever holds an older one is told so, as with
	// AnnounceFresh, but the rule about second logins has no say: it is the same
	// player. Only login servers may say it.
	AnnounceRenewed
)

// Place is the directory's answer: who holds an account's key.
type Place struct {
	Account codec.Name
	// Holder is empty when nobody does.
	Holder Node
	// Stamp and Hop are those of the key. The bus does not carry them: only who
	// holds a key knows them, so that no other can speak for it.
	Stamp Stamp
	Hop   uint32
	// Tag is the asker's own.
	Tag uint64
}

// End tells a holder that an account's key is to be wiped and its session
// closed.
type End struct {
	Account codec.Name
	// Stamp is of the key concerned; 0 for whichever is there.
	Stamp Stamp
	// Why is for the log: "second login", "ban", "command".
	Why string
}

// Characters is what a world reports of accounts' characters there.
type Characters struct {
	World  uint8
	Counts []CharacterCount
}

// CharacterCount is how many characters an account has.
type CharacterCount struct {
	Account codec.Name
	Count   uint8
}

// LoginBeat is a login server's heartbeat, for DNS and operators.
type LoginBeat struct {
	Node Node
	// Incarnation tells processes with one name apart; 0 is not told.
	Incarnation uint64
	// Address is host:port where clients reach it; the host is an IP address.
	Address string
	// Native is host:port where native clients reach it; empty when they do not.
	Native string
	// Conns of MaxConns are taken.
	Conns, MaxConns uint32
	// Draining says that no new client should be sent there.
	Draining bool
}

// Event is what the bus brings to a node: exactly one field is set, or Up.
type Event struct {
	From     Node // for Move and Progress
	Move     *Move
	Place    *Place
	End      *End
	Change   *Change
	Snapshot *Snapshot
	Pulse    *Pulse
	// Characters come to login servers.
	Characters *Characters
	// Progress comes from worlds, see From.
	Progress *Progress
	// Order is an operator's.
	Order *Order
	// Up says that the bus is there (again): what was sent while it was away is
	// lost, and whatever the node holds should be announced anew.
	Up bool
}

// Effect is what a node gives to the bus: exactly one field is set, or
// AskSnapshot. Like datagrams, effects may get lost; whoever needs an answer
// asks again.
type Effect struct {
	To   Node // for Move and Progress
	Move *Move
	// Progress goes from a world to the login server that a pass came from.
	Progress *Progress
	Announce *Announcement
	Locate   *Locate
	End      *AccountEnd
	// AskSnapshot asks the manager for its whole list.
	AskSnapshot bool
}

// Progress tells how far a client is that has come to a world with a pass. Like
// a datagram it may get lost: the gate tells the client too.
type Progress struct {
	Pass PassID
	// Position is the place in the queue, 1 being next; 0 says that it is in.
	Position uint32
	// Ended is why the directory has ended the client there (End.Why), or EndedLeft,
	// and the last word about the pass: Position counts for nothing then. Empty
	// otherwise.
	Ended string
}

// EndedLeft says that a client is not at a world any more that nobody has ended: it
// went, or was sent away by the game.
const EndedLeft = "left"

// Order is what an operator wants of every login server. Exactly one field is set.
type Order struct {
	// Notice is text for the players who are connected, at most MaxNotice bytes.
	Notice string
	// Maintenance says whether logins are refused from now on.
	Maintenance *bool
}

// MaxNotice bounds Order.Notice, in bytes.
const MaxNotice = 512

// Locate asks the directory for an account's place. With Wait it answers only
// once it knows one, or after its bound.
type Locate struct {
	Account codec.Name
	Tag     uint64
	Wait    bool
}

// AccountEnd asks the directory to end an account wherever it is: an operator
// has banned it or sent it away.
type AccountEnd struct {
	Account codec.Name
	Why     string
}
