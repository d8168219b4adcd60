package storage

import (
	"errors"
	"net/netip"
)

// Errors of requests, delivered in Result.Err.
var (
	// ErrNotFound: no account of that name, or no such device of it.
	ErrNotFound = errors.New("storage: not found")
	// ErrNotBanned: the account is there, but not banned; or no ban of exactly
	// that range.
	ErrNotBanned = errors.New("storage: not banned")
	// ErrConflict: what the request would replace is not there any more.
	ErrConflict = errors.New("storage: replaced meanwhile")
	// ErrExists: an account of that name is there already.
	ErrExists = errors.New("storage: account exists already")
	// ErrClosed: the store is closed or was closed before the request was done.
	ErrClosed = errors.New("storage: closed")
	// ErrFailed: the disk refused a write. The request may or may not survive a crash;
	// the store takes no further writes. The cause is wrapped behind it. It never
	// answers a read.
	ErrFailed = errors.New("storage: write failed")
	// ErrReadFailed: the disk refused a read, or the store cannot be opened just now.
	// Nobody can tell what is stored; a change that needed the read has not been made.
	// The cause is wrapped behind it. What is read and turns out to be damaged is
	// ErrUnreadable or ErrCorrupt.
	ErrReadFailed = errors.New("storage: read failed")
)

// Store keeps accounts. Every request is asynchronous.
type Store interface {
	// Submit queues requests, in order, and never blocks. It returns how many
	// it took; the rest, when the queue is full or the store closed, stays with
	// the caller and gets no result. Each request taken gets exactly one Result,
	// delivered in batches to the function given at opening, on a goroutine of
	// the store. Reads may overtake each other and are answered from what has
	// been applied, which may be a moment before it is fsynced; a write's result comes only once it is fsynced (except
	// OpLogin, OpLoginFailed and OpCharacters, see there).
	// May be called from any goroutine; ops is not kept.
	Submit(ops []Op) int
	// Secret is 32 random bytes made when the store was created; they never
	// change. Keys for fake salts and the like are derived from them.
	Secret() [32]byte
	// Close finishes what was taken, syncs and closes. It is idempotent.
	Close() error
}

// OpKind tells what a request asks for.
type OpKind uint8

const (
	// OpGet reads the account Name into Result.Account.
	OpGet OpKind = iota + 1
	// OpCreate stores Op.Account under its name, and Op.Devices as its devices;
	// ErrExists if the name is taken. Devices are stored as they are, expired ones
	// too; more than MaxDevices, or a family twice, is ErrInvalid.
	OpCreate
	// OpSetVerifier replaces the verifier fields (Grunt and Others) of Name by
	// those of Op.Account and removes all devices of Name.
	OpSetVerifier
	// OpSetFactors replaces the second factors (PIN and TOTPSecret) of Name by
	// those of Op.Account; empty ones are none. Where there is a factor then, it removes
	// all devices of Name: they were remembered without it, and a token asks for none.
	OpSetFactors
	// OpDelete removes the account Name and all that belongs to it.
	OpDelete
	// OpBan bans the account Name with Op.Ban; an older ban is replaced.
	OpBan
	// OpUnban lifts the ban of Name; ErrNotBanned if there is none.
	OpUnban
	// OpBanAddress bans Op.Prefix with Op.Ban.
	OpBanAddress
	// OpUnbanAddress lifts the ban of exactly Op.Prefix; ErrNotBanned if there is
	// none.
	OpUnbanAddress
	// OpAddressBans reads all address bans into Result.AddressBans. Those that cannot
	// be read are named in Result.Damaged, and do not keep the others back; Result.Err
	// is set when none could be read.
	OpAddressBans
	// OpList reads up to Op.Limit accounts behind Name in name order into
	// Result.Accounts; the zero Name starts at the first.
	OpList
	// OpLogin notes a good login of Name (Op.At, Op.Addr) and clears its failed
	// attempts. Unless Op.Synced says so nobody waits for it: it is applied within
	// some 20 ms, then its result comes, and it is fsynced with the next synced
	// write or within Options.FlushEvery. It is not checked that Name exists.
	OpLogin
	// OpLoginFailed counts a failed attempt (Op.At); durable like OpLogin. A name
	// that does not exist is ignored. Op.Addr is not kept: it is a stranger's.
	OpLoginFailed
	// OpCharacters notes that Name has Op.Count characters on Op.World (1 … 255),
	// as that world says; 0 forgets the world. Durable like OpLogin. A name that
	// does not exist is ignored, and what is known already is not written again.
	OpCharacters
	// OpDevice reads the account Name, without its login record, and its device of
	// Op.Device.Family into Result.Account and Result.Device. ErrNotFound when either
	// is missing; Result.Account is set when the account is there. Devices that have
	// expired are found: whoever asks has the clock.
	OpDevice
	// OpAddDevice stores Op.Device for Name; ErrNotFound without that account,
	// ErrConflict unless Op.Proven are the account's credentials: who proved a password
	// that has been changed since must not be remembered. An
	// older one with the same Device.ID is replaced; those that have expired by Op.At,
	// or by Device.Created where that is 0, go, and of more than MaxDevices the one
	// that was used longest ago. ErrInvalid where both are 0.
	OpAddDevice
	// OpRotateDevice replaces the Verifier of Name's device Op.Device.Family, if it is
	// still Op.Expect, by Op.Device.Verifier, and notes Op.At and Op.Addr as its last
	// use. ErrConflict when it is another, ErrNotFound when there is no such device.
	// Of several at once that expect the same one succeeds. A change of the verifier or
	// of the factors removes the device in the same write, so a token that was proven
	// before it finds no device.
	OpRotateDevice
	// OpRemoveDevice removes Name's device Op.Device.Family; where that is zero, what
	// Name has of the device Op.Device.ID, under whichever family; and all of Name's
	// where both are zero. ErrNotFound when there is no such account or device; none
	// to remove of all is no error. A record that cannot be read is in the way of a
	// search by ID only.
	OpRemoveDevice
	// OpDevices reads Name's devices into Result.Devices, the one used last first,
	// expired ones too; ErrNotFound without that account.
	OpDevices
	// OpDecoys reads what OpSetDecoys wrote into Result.Decoys; ErrNotFound where it has
	// written nothing yet.
	OpDecoys
	// OpSetDecoys stores Op.Decoys, in the place of earlier ones.
	OpSetDecoys
	// OpSampleSalts looks at the salts of some accounts, the same ones each time, and
	// says in Result.Decoys.Salts what they look like. It reads some thousand records.
	OpSampleSalts
)

// Op is one request. Which fields count is said at its kind.
type Op struct {
	Kind OpKind
	// Tag comes back in the Result, untouched and unread. Where the store is
	// shared with a Client, the top bit must be clear.
	Tag     uint64
	Name    Name
	Account *Account // read only, not kept after Submit's result was delivered
	Ban     Ban
	Prefix  netip.Prefix
	Addr    netip.Addr
	// World and Count are for OpCharacters.
	World, Count uint8
	// Synced makes the result of OpLogin, OpLoginFailed or OpCharacters wait for
	// the fsync, like those of other writes.
	Synced bool
	// Brief leaves Account.Login out of the answer to OpGet, which is then read
	// at half the cost, and Key and Verifier out of that to OpDevices.
	Brief bool
	// Devices are for OpCreate; read only, like Account.
	Devices []Device
	// Device and Expect are for the kinds about devices.
	Device *Device // read only, like Account
	Expect [32]byte
	// Proven is Account.Credentials of the account that the client has proven to be, as
	// it was read for that proof.
	Proven Credentials
	// Decoys is for OpSetDecoys; read only.
	Decoys *Decoys
	// At is in Unix seconds.
	At    int64
	Limit int
}

// Result answers one Op.
type Result struct {
	Kind OpKind
	Tag  uint64
	Name Name
	Err  error
	// Account belongs to the receiver. Nil unless OpGet or OpDevice found one.
	Account     *Account
	Accounts    []Account
	AddressBans []AddressBan
	// Damaged names what OpAddressBans could not read, each with the reason; the
	// bans in AddressBans are the others.
	Damaged []string
	// Device and Devices belong to the receiver.
	Device  *Device
	Devices []Device
	// Decoys belongs to the receiver.
	Decoys *Decoys
}

// Account is one player's record.
type Account struct {
	Name Name
	// Created is in Unix seconds.
	Created int64
	// Grunt is the verifier of the grunt protocol.
	Grunt GruntVerifier
	// Others holds verifiers of other protocols under their names, in formats
	// that are theirs.
	Others map[string][]byte
	Ban    Ban
	// PIN is 4 to 10 digits, asked for at every login where the client can;
	// empty for none.
	PIN string
	// TOTPSecret is the RFC 6238 secret, raw; empty for none.
	TOTPSecret []byte
	// Characters is how many characters the account has where, by rising world;
	// worlds that have none, or of which nothing is known, are not in it.
	Characters []WorldCount
	Login      LoginRecord
}

// ProtocolNative is where Account.Others has the verifier of the native protocol, as
// auth/srp6a appends and parses it.
const ProtocolNative = "native"

// GruntVerifier is what is kept instead of a password: 32 bytes each, in the
// protocol's wire order.
type GruntVerifier struct {
	Set      bool
	Salt     [32]byte
	Verifier [32]byte
}

// String hides the verifier.
func (GruntVerifier) String() string { return "grunt-verifier" }

// Ban closes an account or an address range.
type Ban struct {
	// Set tells a ban from none.
	Set bool
	// Since and Until are in Unix seconds; Until 0 is for good.
	Since, Until int64
	Reason, By   string
}

// Active tells whether the ban holds at the time now (Unix seconds).
func (b *Ban) Active(now int64) bool { return b.Set && (b.Until == 0 || now < b.Until) }

// Device is a device that may sign in without a password, by a token. What is kept
// does not let whoever reads it sign in.
type Device struct {
	// Family names the token and those that follow it.
	Family [16]byte
	// ID is the device's own.
	ID [16]byte
	// Name is what its owner knows it by, at most MaxDeviceName bytes.
	Name string
	// Key is what both sides know and never changes; Verifier the hash of the one
	// secret that lets it in next.
	Key, Verifier [32]byte
	// Created, Expires and LastUsed are in Unix seconds.
	Created, Expires, LastUsed int64
	// LastAddr is where it signed in from last.
	LastAddr netip.Addr
}

// String hides the key.
func (Device) String() string { return "device" }

// GoString hides it from %#v.
func (Device) GoString() string { return "device" }

const (
	// MaxDevices is how many devices of an account are remembered.
	MaxDevices = 16
	// MaxDeviceName bounds Device.Name, in bytes.
	MaxDeviceName = 64
)

// AddressBan closes a range of addresses.
type AddressBan struct {
	Prefix netip.Prefix
	Ban    Ban
}

// LoginRecord is what is known of an account's logins.
type LoginRecord struct {
	// LastLogin is in Unix seconds, 0 for never. LastFailed is the last failed
	// attempt since then, 0 for none.
	LastLogin, LastFailed int64
	// LastAddr is where the last good login came from, without a zone.
	LastAddr netip.Addr
	// Failed counts attempts since the last good login.
	Failed uint32
}
