package grunt

import (
	"encoding/binary"
	"math"

	"gatepass/codec"
)

// transferName is the only file name for which a client downloads a patch. No zero byte
// follows it, though one server writes one.
const transferName = "Patch"

// transferHead is the length of an XFER_DATA without its data.
const transferHead = 3

// AppendTransferOffer writes an XFER_INITIATE: 31 bytes.
func AppendTransferOffer(dst []byte, o *codec.TransferOffer) []byte {
	dst = append(dst, opTransferOffer, byte(len(transferName)))
	dst = append(dst, transferName...)
	dst = binary.LittleEndian.AppendUint64(dst, o.Size)
	return append(dst, o.MD5[:]...)
}

// ParseTransferOffer reads an XFER_INITIATE. An offer of any other file, for example a survey,
// is a violation.
func ParseTransferOffer(b []byte) (codec.TransferOffer, int, error) {
	if err := expect(b, opTransferOffer); err != nil {
		return codec.TransferOffer{}, 0, err
	}
	var o codec.TransferOffer
	c := codec.NewCursor(b)
	c.U8()
	if n := int(c.U8()); !c.Short() && n != len(transferName) {
		return codec.TransferOffer{}, 0, badFileName
	}
	if name := c.Bytes(len(transferName)); name != nil && string(name) != transferName {
		return codec.TransferOffer{}, 0, badFileName
	}
	o.Size = c.U64()
	c.Copy(o.MD5[:])
	if c.Short() {
		return codec.TransferOffer{}, 0, codec.ErrShort
	}
	return o, c.Offset(), nil
}

// AppendTransferData writes one XFER_DATA. It returns ErrChunk if data is too long for its
// size field. Servers should send MaxTransferChunk bytes.
func AppendTransferData(dst, data []byte) ([]byte, error) {
	if len(data) > math.MaxUint16 {
		return dst, ErrChunk
	}
	dst = append(dst, opTransferData)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(data)))
	return append(dst, data...), nil
}

// ParseTransferData reads one XFER_DATA. The data aliases b.
func ParseTransferData(b []byte) ([]byte, int, error) {
	if err := expect(b, opTransferData); err != nil {
		return nil, 0, err
	}
	if len(b) < transferHead {
		return nil, 0, codec.ErrShort
	}
	n := transferHead + int(binary.LittleEndian.Uint16(b[1:]))
	if len(b) < n {
		return nil, 0, codec.ErrShort
	}
	return b[transferHead:n:n], n, nil
}

// AppendTransferAccept writes a client's request for the file from its start.
func AppendTransferAccept(dst []byte) []byte { return append(dst, opTransferAccept) }

// AppendTransferResume writes a client's request for the file from offset on.
func AppendTransferResume(dst []byte, offset uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, opTransferResume), offset)
}

// AppendTransferCancel writes a client's refusal of the file.
func AppendTransferCancel(dst []byte) []byte { return append(dst, opTransferCancel) }

// TransferAnswer is a client's answer to an offer.
type TransferAnswer struct {
	// Kind is KindTransferAccept, KindTransferResume or KindTransferCancel.
	Kind codec.Kind
	// Offset is the number of bytes that a resuming client has. It may be beyond the file's
	// end.
	Offset uint64
}

// ParseTransferAnswer reads any of the three answers.
func ParseTransferAnswer(b []byte) (TransferAnswer, int, error) {
	if len(b) == 0 {
		return TransferAnswer{}, 0, codec.ErrShort
	}
	switch b[0] {
	case opTransferAccept:
		return TransferAnswer{Kind: codec.KindTransferAccept}, 1, nil
	case opTransferCancel:
		return TransferAnswer{Kind: codec.KindTransferCancel}, 1, nil
	case opTransferResume:
		c := codec.NewCursor(b[1:])
		offset := c.U64()
		if c.Short() {
			return TransferAnswer{}, 0, codec.ErrShort
		}
		return TransferAnswer{Kind: codec.KindTransferResume, Offset: offset}, 1 + c.Offset(), nil
	}
	return TransferAnswer{}, 0, unexpected[b[0]]
}
