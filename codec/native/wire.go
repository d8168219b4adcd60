package native

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

const (
	// maxBody is the highest number of a message in a frame of clients.
	maxBody = 18
	// maxField is the highest number of a field in a message that clients send.
	maxField = 10
)

// fieldType is how a known field stands on the wire.
type fieldType uint8

const (
	unknown fieldType = iota // skipped
	number                   // varint
	raw                      // bytes, of a message too
	text                     // bytes that are UTF-8
)

// shape has the types of a message's fields by their numbers. Messages of clients
// hold numbers and bytes only: nothing in them is repeated, nested or packed.
type shape [maxField + 1]fieldType

// fields are what a message says: of a field that came twice the last, of one that
// did not come zero. The bytes alias what was parsed.
type fields struct {
	number [maxField + 1]uint64
	bytes  [maxField + 1][]byte
}

// envelopes and messages hold what is known of the frames of clients: which bodies
// there are and how they look.
type envelope struct {
	bodies [maxBody + 1]fieldType
	shapes [maxBody + 1]shape
}

var loginEnvelope = envelope{
	bodies: [maxBody + 1]fieldType{
		fieldSignIn: raw, fieldPasswordProof: raw, fieldTokenProof: raw, fieldFactorCode: raw, fieldRememberDevice: raw,
		fieldForgetDevice: raw, fieldSelectWorld: raw, fieldReleaseWorld: raw, fieldPing: raw,
		fieldAcceptUpdate: raw, fieldUpdateReceived: raw, fieldCancelUpdate: raw,
	},
	shapes: [maxBody + 1]shape{
		fieldSignIn:         {1: number, 2: text, 3: raw, 4: number, 5: text, 6: text, 7: text, 8: raw, 9: raw, 10: number},
		fieldPasswordProof:  {1: raw, 2: raw},
		fieldTokenProof:     {1: raw},
		fieldFactorCode:     {1: text},
		fieldRememberDevice: {1: text, 2: raw},
		fieldSelectWorld:    {1: number},
		fieldPing:           {1: number},
		fieldAcceptUpdate:   {1: number, 2: number},
		fieldUpdateReceived: {1: number},
	},
}

var gateEnvelope = envelope{
	bodies: [maxBody + 1]fieldType{fieldGateHello: raw, fieldGatePing: raw, fieldGatePacket: raw},
	shapes: [maxBody + 1]shape{
		fieldGateHello:  {1: number, 2: raw, 3: raw, 4: raw, 5: number},
		fieldGatePing:   {1: number},
		fieldGatePacket: {1: number, 2: raw},
	},
}

// parse reads a frame's body: which message it holds, 0 for none that is known, and
// its fields. Of several the last one counts; the same one again in a row adds to
// itself, as protobuf has it. f comes empty.
func (e *envelope) parse(body []byte, f *fields) (which protowire.Number, ok bool) {
	for len(body) > 0 {
		num, v, _, n := next(body, e.bodies[:])
		if n < 0 {
			return 0, false
		}
		body = body[n:]
		if num == 0 {
			continue
		}
		if num != which {
			if which != 0 {
				*f = fields{}
			}
			which = num
		}
		if !f.merge(v, &e.shapes[num]) {
			return 0, false
		}
	}
	return which, true
}

// merge reads a message's fields over those that are there.
func (f *fields) merge(message []byte, s *shape) bool {
	for len(message) > 0 {
		num, b, v, n := next(message, s[:])
		if n < 0 {
			return false
		}
		message = message[n:]
		if num == 0 {
			continue
		}
		f.number[num], f.bytes[num] = v, b
		if s[num] == text && !utf8.Valid(b) {
			return false
		}
	}
	return true
}

// next reads the field at the front of b. num is 0 for one that is not known, or is
// known with another type, n negative for what is no field.
func next(b []byte, s []fieldType) (num protowire.Number, bytes []byte, value uint64, n int) {
	num, typ, tag := protowire.ConsumeTag(b)
	if tag < 0 || num > protowire.MaxValidNumber {
		return 0, nil, 0, -1
	}
	known := unknown
	if int(num) < len(s) {
		known = s[num]
	}
	switch {
	case known == number && typ == protowire.VarintType:
		value, n = protowire.ConsumeVarint(b[tag:])
	case known >= raw && typ == protowire.BytesType:
		bytes, n = protowire.ConsumeBytes(b[tag:])
	default:
		num, n = 0, protowire.ConsumeFieldValue(num, typ, b[tag:])
	}
	if n < 0 {
		return 0, nil, 0, -1
	}
	return num, bytes, value, tag + n
}

// u32 is a field of 32 bits: as protobuf has it, what is above them is cut off.
func (f *fields) u32(num int) uint32 { return uint32(f.number[num]) }

// fill copies a field of fixed size, which it has to have.
func (f *fields) fill(dst []byte, num int) bool {
	return copy(dst, f.bytes[num]) == len(f.bytes[num]) && len(f.bytes[num]) == len(dst)
}

// What follows writes fields as protobuf does: those that are zero are not written.

func appendNumber(dst []byte, num protowire.Number, v uint64) []byte {
	if v == 0 {
		return dst
	}
	return protowire.AppendVarint(protowire.AppendTag(dst, num, protowire.VarintType), v)
}

func appendBool(dst []byte, num protowire.Number, v bool) []byte {
	if !v {
		return dst
	}
	return appendNumber(dst, num, 1)
}

func appendBytes[T ~string | ~[]byte](dst []byte, num protowire.Number, v T) []byte {
	if len(v) == 0 {
		return dst
	}
	dst = protowire.AppendVarint(protowire.AppendTag(dst, num, protowire.BytesType), uint64(len(v)))
	return append(dst, v...)
}

// begin starts a message, or packed numbers, within another and returns where; end
// puts its length there.
func begin(dst []byte, num protowire.Number) (_ []byte, at int) {
	dst = append(protowire.AppendTag(dst, num, protowire.BytesType), 0)
	return dst, len(dst)
}

// end moves what was written since begin where its length takes more than the byte
// that was left for it; that is cheaper than to count twice.
func end(dst []byte, at int) []byte {
	size := len(dst) - at
	more := protowire.SizeVarint(uint64(size)) - 1
	if more > 0 {
		dst = append(dst, make([]byte, more)...)
		copy(dst[at+more:], dst[at:at+size])
	}
	protowire.AppendVarint(dst[:at-1], uint64(size))
	return dst
}
