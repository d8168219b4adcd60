package worlds

import "gatepass/codec"

// The messages that worlds, managers and login servers send over the bus, as Go values.
// Their encoding and subjects belong to the bus (worlds/bus, docs/bus-protocol.md).

// Registration is a world's data when it joins.
type Registration struct {
	World
	// Region is the region in which the world runs. Only operators see it.
	Region string
	// Incarnation is drawn again at every start of the world. It distinguishes a
	// restarted world from one that never stopped.
	Incarnation uint64
	// Capacity is the most players that the world takes, at least 1.
	Capacity uint32
}

// Beat is a world's heartbeat.
type Beat struct {
	Incarnation uint64
	// Population is the number of players in the world, Queue the number that wait.
	Population, Queue uint32
	// Load is how busy the world is, 0 … 1.
	Load float32
	// Leaving: the world shuts down in order and is offline from now on.
	Leaving bool
}

// Version orders the messages of a manager about the worlds. Epoch increases with every
// new leading manager, Seq with every change of that manager.
type Version struct{ Epoch, Seq uint64 }

// Entry is one world as the manager lists it.
type Entry struct {
	Registration
	// Players and Queue are from the last heartbeat.
	Players, Queue uint32
	Load           float32
}

// Change is one step of the list. Exactly one of Entry and Reset is set.
type Change struct {
	Version Version
	// Entry replaces the world with the same id, or adds it.
	Entry *Entry
	// Reset empties the list, for maintenance.
	Reset bool
}

// Snapshot is the whole list.
type Snapshot struct {
	Version Version
	Entries []Entry
	// VoucherKey is the region's key if a login server asks, and empty for other nodes.
	// The receiver of the snapshot wipes it.
	VoucherKey Secret
}

// Pulse says that the manager runs, and gives the version of its list.
type Pulse struct{ Version Version }

// Announcement tells the directory where an account's key is.
type Announcement struct {
	Account codec.Name
	Stamp   Stamp
	Hop     uint32
	Kind    AnnouncementKind
	// Voucher is the world's proof for the key. Without it the world is not believed.
	// Login servers need none.
	Voucher Voucher
}

// AnnouncementKind is the kind of an Announcement.
type AnnouncementKind uint8

const (
	// AnnounceFresh: the account has just logged in here. All earlier places are out of
	// date, and the holder of an older key is told so.
	AnnounceFresh AnnouncementKind = iota
	// AnnounceMoved: the key has just moved here.
	AnnounceMoved
	// AnnounceHeld: the key is still here. It answers a question of the directory.
	AnnounceHeld
	// AnnounceGone: the key that was here is wiped.
	AnnounceGone
	// AnnounceRenewed: the login server's own client, which may be in a world now, has
	// a new key here. The holder of an older key is told so, as with AnnounceFresh. The
	// rule about second logins does not apply, because it is the same player. Only
	// login servers may send it.
	AnnounceRenewed
)

// Place is the directory's answer: which node holds an account's key.
type Place struct {
	Account codec.Name
	// Holder is empty if no node holds the key.
	Holder Node
	// Stamp and Hop are those of the key. The bus does not carry them: only the holder
	// of a key knows them, so that no other node can forge its announcements.
	Stamp Stamp
	Hop   uint32
	// Tag is copied from the request.
	Tag uint64
}

// End tells a holder to wipe an account's key and to close its session.
type End struct {
	Account codec.Name
	// Stamp is the stamp of the key; 0 means any key.
	Stamp Stamp
	// Why is the reason for the log: "second login", "ban", "command".
	Why string
}

// Characters is a world's report of how many characters accounts have there.
type Characters struct {
	World  uint8
	Counts []CharacterCount
}

// CharacterCount is the number of characters of an account.
type CharacterCount struct {
	Account codec.Name
	Count   uint8
}

// LoginBeat is a login server's heartbeat, for DNS and operators.
type LoginBeat struct {
	Node Node
	// Incarnation distinguishes processes with the same name. 0 means unknown.
	Incarnation uint64
	// Address is host:port for clients. The host is an IP address.
	Address string
	// Native is host:port for native clients. It is empty if there is none.
	Native string
	// Conns of MaxConns connections are in use.
	Conns, MaxConns uint32
	// Draining: no new client should be sent there.
	Draining bool
}

// Event is a message of the bus to a node: exactly one field is set, or Up.
type Event struct {
	From     Node // for Move and Progress
	Move     *Move
	Place    *Place
	End      *End
	Change   *Change
	Snapshot *Snapshot
	Pulse    *Pulse
	// Characters are for login servers.
	Characters *Characters
	// Progress is from a world, see From.
	Progress *Progress
	// Order is from an operator.
	Order *Order
	// Up: the bus is available (again). Messages sent while it was away are lost, and
	// the node should announce its keys again.
	Up bool
}

// Effect is a message of a node for the bus: exactly one field is set, or AskSnapshot.
// Effects can be lost, like datagrams. A node that needs an answer asks again.
type Effect struct {
	To   Node // for Move and Progress
	Move *Move
	// Progress goes from a world to the login server that issued the pass.
	Progress *Progress
	Announce *Announcement
	Locate   *Locate
	End      *AccountEnd
	// AskSnapshot requests the manager's whole list.
	AskSnapshot bool
}

// Progress is the state of a client that has come to a world with a pass. It can be
// lost, like a datagram; the gate also tells the client.
type Progress struct {
	Pass PassID
	// Position is the place in the queue. 1 is next; 0 means that the client has
	// entered.
	Position uint32
	// Ended is empty, or the reason why the client is no longer there: the reason of
	// the directory (End.Why) or EndedLeft. It is the last message about the pass, and
	// Position has no meaning then.
	Ended string
}

// EndedLeft says that the client has left the world and the directory did not end it:
// the client disconnected, or the game closed its connection.
const EndedLeft = "left"

// Order is what an operator wants of every login server. Exactly one field is set.
type Order struct {
	// Notice is text for the players who are connected, at most MaxNotice bytes.
	Notice string
	// Maintenance says whether logins are refused from now on.
	Maintenance *bool
}

// MaxNotice is the longest Order.Notice, in bytes.
const MaxNotice = 512

// Locate asks the directory for an account's place. With Wait, the directory answers
// when it knows a place or when its limit is over.
type Locate struct {
	Account codec.Name
	Tag     uint64
	Wait    bool
}

// AccountEnd asks the directory to end an account wherever it is, because an operator
// has banned or kicked it.
type AccountEnd struct {
	Account codec.Name
	Why     string
}
