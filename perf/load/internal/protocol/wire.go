package protocol

// The opcodes and sizes of the grunt protocol that the hot paths read themselves. They
// use codec/grunt for everything else.
const (
	OpChallenge = 0x00
	OpProof     = 0x01
	OpRealmList = 0x10

	// ChallengeMin is the length of a challenge with a one-byte name.
	ChallengeMin = 35
	// LastVanillaBuild is the last build with the 1.x layouts.
	LastVanillaBuild = 6298

	// RealmListHead is the length of the opcode and the size field that begin a realm list.
	RealmListHead = 3
	// GruntFrameHead is the length of the opcode and the size field that begin a frame of
	// a file transfer.
	GruntFrameHead = 3
	// OpTransferData is the opcode of such a frame.
	OpTransferData = 0x31
)
