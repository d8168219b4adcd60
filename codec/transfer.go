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

// UpdateOffer is what a native client is told of a file beside its size. It is never
// changed once it was made.
type UpdateOffer struct {
	// From and To are the builds that the file leads from and to.
	From, To uint16
	// SHA256 is that of the whole file; Hashes those of its chunks of ChunkSize bytes
	// (the last one may be shorter), 32 bytes each, MaxTransferChunks at most.
	SHA256    [32]byte
	ChunkSize uint32
	Hashes    []byte
	// Name is what the file is called, at most MaxTransferName bytes.
	Name string
	// Steps is how many files there are on the whole way, this one included, and
	// Total the sum of their sizes in bytes.
	Steps uint32
	Total uint64
}

// The limits of an UpdateOffer.
const (
	// MaxTransferChunks keeps an offer's hashes below 8 KiB: what a socket that has
	// carried nothing yet takes at once.
	MaxTransferChunks = 256
	// MaxTransferName is the longest name of a file in bytes.
	MaxTransferName = 64
)

// Transfer is a file on its way to one client.
type Transfer struct {
	Source TransferSource
	// Size is the file's, Offset where to begin, at most Size.
	Size, Offset uint64
	// Window is how many bytes may be on the way that the client has not acknowledged
	// yet; 0 for a client that acknowledges nothing.
	Window uint32
}

// TransferSource is a file that can be sent. Its methods are called by several
// goroutines at once and may wait for a disk.
type TransferSource interface {
	// ReadVector fills the pieces, one behind the other, with what stands in the file
	// from offset on. ErrTransferChanged when the file is not the one any more that
	// was offered; any other error when it could not be read whole.
	ReadVector(pieces [][]byte, offset int64) error
}

// ErrTransferChanged says that a file was changed after it was offered.
var ErrTransferChanged = errors.New("codec: the file was changed after it was offered")

// TransferEnd says how a transfer ended. From 1 on the numbers are the contract's.
type TransferEnd uint8

const (
	// TransferDone: everything was sent, and acknowledged by clients that do so.
	TransferDone TransferEnd = iota
	// TransferOffset: the client wanted to begin behind the file's end.
	TransferOffset
	// TransferChanged: the file is not any more what was offered.
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

// FileFrame is how a protocol's frames of a file are built, in bytes: Head in front of
// at most Data bytes of the file, Tail behind them.
type FileFrame struct{ Head, Data, Tail int }

// Size is that of a full frame.
func (f FileFrame) Size() int { return f.Head + f.Data + f.Tail }
