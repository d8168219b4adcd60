package storage

import "net/netip"

// OpKind says what a request asks for.
type OpKind uint8

const (
	// OpGet reads the account Name into Result.Account.
	OpGet OpKind = iota + 1
	// OpCreate stores Op.Account under its name, and Op.Devices as its devices;
	// ErrExists if the name is taken. Devices are stored as they are, expired ones
	// too; more than MaxDevices, or a family twice, is ErrInvalid.
	OpCreate
	// OpSetVerifier replaces the verifiers (Grunt and Others) of Name by those of
	// Op.Account and removes all devices of Name.
	OpSetVerifier
	// OpSetFactors replaces the second factors (PIN and TOTPSecret) of Name by those of
	// Op.Account; empty fields mean no factor. If a factor is set, it removes all devices
	// of Name: they were added without the factor, and a token does not ask for it.
	OpSetFactors
	// OpDelete removes the account Name and everything that belongs to it.
	OpDelete
	// OpBan bans the account Name with Op.Ban, which replaces an older ban.
	OpBan
	// OpUnban lifts the ban of Name; ErrNotBanned if there is none.
	OpUnban
	// OpBanAddress bans Op.Prefix with Op.Ban.
	OpBanAddress
	// OpUnbanAddress lifts the ban of exactly Op.Prefix; ErrNotBanned if there is
	// none.
	OpUnbanAddress
	// OpAddressBans reads all address bans into Result.AddressBans. Result.Damaged names
	// the bans that cannot be read; the others are returned all the same. Result.Err is
	// set only if none can be read.
	OpAddressBans
	// OpList reads up to Op.Limit accounts after Name, in name order, into
	// Result.Accounts; the zero Name starts at the first.
	OpList
	// OpLogin notes a successful login of Name (Op.At, Op.Addr) and clears its failed
	// attempts. Without Op.Synced its result comes before the change is durable: within
	// some 20 ms. The change becomes durable with the next synced write, or within the
	// engine's flush interval. The engine does not check that Name exists.
	OpLogin
	// OpLoginFailed counts a failed attempt (Op.At); as durable as OpLogin. A name
	// without an account is ignored. Op.Addr is not stored: the attempt may be a
	// stranger's.
	OpLoginFailed
	// OpCharacters notes that Name has Op.Count characters on Op.World (1 … 255), as
	// that world reports; 0 removes the world. As durable as OpLogin. A name without an
	// account is ignored, and a count that is stored already is not written again.
	OpCharacters
	// OpDevice reads the account Name, without its login record, and its device of
	// Op.Device.Family into Result.Account and Result.Device. ErrNotFound if either is
	// missing; Result.Account is set if the account exists. Expired devices are returned
	// too: the caller has the clock.
	OpDevice
	// OpAddDevice stores Op.Device for Name. ErrNotFound if there is no such account.
	// ErrConflict unless Op.Proven are the account's credentials: a password that was
	// replaced after it was proven adds no device. ErrInvalid if both Op.At and
	// Device.Created are 0. It removes an older device with the same Device.ID, devices
	// that have expired at Op.At (at Device.Created if Op.At is 0), and of more than
	// MaxDevices the one that was used longest ago.
	OpAddDevice
	// OpRotateDevice replaces the Verifier of Name's device Op.Device.Family by
	// Op.Device.Verifier, and notes Op.At and Op.Addr as its last use. ErrConflict if the
	// present one is not Op.Expect, ErrNotFound if there is no such device. Of several
	// simultaneous requests that expect the same verifier one succeeds. A change of the
	// account's verifiers or factors removes the device in the same write, so a token
	// that was proven before the change finds no device.
	OpRotateDevice
	// OpRemoveDevice removes Name's device Op.Device.Family. If that is zero, it removes
	// all of Name's devices with Op.Device.ID; if both are zero, all devices of Name.
	// ErrNotFound if there is no such account or device; removing all of none is no
	// error. A record that cannot be read fails a removal by ID only.
	OpRemoveDevice
	// OpDevices reads Name's devices into Result.Devices, the last used first, expired
	// ones too; ErrNotFound if there is no such account.
	OpDevices
	// OpDecoys reads what OpSetDecoys stored into Result.Decoys; ErrNotFound before the
	// first OpSetDecoys.
	OpDecoys
	// OpSetDecoys stores Op.Decoys, which replaces earlier ones.
	OpSetDecoys
	// OpSampleSalts examines the salts of a sample of accounts, the same ones each time,
	// and describes them in Result.Decoys.Salts. It reads some thousand records.
	OpSampleSalts
)

// Op is one request. Its kind says which fields it uses.
type Op struct {
	Kind OpKind
	// Tag is returned in the Result; the store does not read it. Where the store is
	// shared with a Client, the top bit must be clear.
	Tag     uint64
	Name    Name
	Account *Account // read only; not kept after the result is delivered
	Ban     Ban
	Prefix  netip.Prefix
	Addr    netip.Addr
	// World and Count are for OpCharacters.
	World, Count uint8
	// Synced makes the result of OpLogin, OpLoginFailed or OpCharacters wait until the
	// change is durable, like the results of other writes.
	Synced bool
	// Brief leaves Account.Login out of the result of OpGet, which halves its cost, and
	// Key and Verifier out of that of OpDevices.
	Brief bool
	// Devices are for OpCreate; read only, like Account.
	Devices []Device
	// Device and Expect are for the kinds about devices.
	Device *Device // read only, like Account
	Expect [32]byte
	// Proven is Account.Credentials of the account as it was read for the proof that the
	// client has passed.
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
	// Damaged names the address bans that OpAddressBans could not read, each with the
	// reason.
	Damaged []string
	// Device and Devices belong to the receiver.
	Device  *Device
	Devices []Device
	// Decoys belongs to the receiver.
	Decoys *Decoys
}
