package codec

import (
	"errors"
	"fmt"
)

// TransferOffer announces a file.
type TransferOffer struct {
	Size uint64
	MD5  [16]byte
}

// UpdateOffer is what a native client is told about a file besides its size. It must not be
// changed after it is made.
type UpdateOffer struct {
	// From and To are the client builds before and after the update.
	From, To uint16
	// SHA256 is the hash of the whole file. Hashes has the hashes of its chunks of ChunkSize
	// bytes (the last may be shorter), 32 bytes each, at most MaxTransferChunks.
	SHA256    [32]byte
	ChunkSize uint32
	Hashes    []byte
	// Name is the name of the file, at most MaxTransferName bytes.
	Name string
	// Steps is the number of files until the client is up to date, including this one. Total
	// is the sum of their sizes in bytes.
	Steps uint32
	Total uint64
}

// The limits of an UpdateOffer.
const (
	// MaxTransferChunks keeps the hashes of an offer at no more than 8 KiB. A new socket
	// accepts that much in one write.
	MaxTransferChunks = 256
	// MaxTransferName is the longest name of a file in bytes.
	MaxTransferName = 64
)

// Transfer is a file that is sent to one client.
type Transfer struct {
	Source TransferSource
	// Size is the size of the file. Offset is where to begin, at most Size.
	Size, Offset uint64
	// Window is the maximum number of bytes that are sent but not yet acknowledged; 0 for a
	// client that does not acknowledge.
	Window uint32
}

// TransferSource is a file that can be sent. Its methods may block on a disk, and several
// goroutines call them at once.
type TransferSource interface {
	// ReadVector fills the pieces, one after the other, with the file's bytes from offset on.
	// It returns ErrTransferChanged if the file is no longer the one that was offered, and any
	// other error if it could not be read completely.
	ReadVector(pieces [][]byte, offset int64) error
}

// ErrTransferChanged says that a file was changed after it was offered.
var ErrTransferChanged = errors.New("codec: the file was changed after it was offered")

// TransferEnd is how a transfer ended. From 1 on the numbers are those of the contract.
type TransferEnd uint8

const (
	// TransferDone: all bytes were sent, and acknowledged if the client acknowledges.
	TransferDone TransferEnd = iota
	// TransferOffset: the client asked for an offset beyond the end of the file.
	TransferOffset
	// TransferChanged: the file is no longer the one that was offered.
	TransferChanged
	// TransferFault: the file could not be read.
	TransferFault
	// TransferEndCount is the number of ends, for tables.
	TransferEndCount
)

var transferEndNames = [TransferEndCount]string{"done", "offset", "changed", "fault"}

func (e TransferEnd) String() string {
	if e < TransferEndCount {
		return transferEndNames[e]
	}
	return fmt.Sprintf("transfer-end(%d)", uint8(e))
}

// FileFrame is the layout of a protocol's file frames, in bytes: Head before the file's data,
// at most Data bytes of data, and Tail after them.
type FileFrame struct{ Head, Data, Tail int }

// Size returns the size of a full frame.
func (f FileFrame) Size() int { return f.Head + f.Data + f.Tail }
