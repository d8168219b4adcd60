package storage

import "net/netip"

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
