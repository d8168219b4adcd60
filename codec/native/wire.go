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

// fieldType is the encoding of a known field.
type fieldType uint8

const (
	unknown fieldType = iota // skipped
	number                   // varint
	raw                      // bytes, or a message
	text                     // bytes in UTF-8
)

// shape has the types of a message's fields, indexed by field number. Client messages have
// only numbers and bytes: no repeated, nested or packed fields.
type shape [maxField + 1]fieldType

// fields has the values of a message's fields: the last one of a repeated field, zero for a
// missing field. The bytes alias the input.
type fields struct {
	number [maxField + 1]uint64
	bytes  [maxField + 1][]byte
}

// envelope has the known bodies of a client's frame and the fields of each.
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

// parse reads a frame's body and returns which message it holds, 0 if none is known, and its
// fields in f. If there are several messages, the last one counts; the same message again in a
// row is merged, as in protobuf. f must be empty.
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

// merge reads a message's fields into f and overwrites those that are there.
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

// next reads the field at the front of b. num is 0 for a field that is unknown or has an
// unexpected type. n is negative if b does not begin with a field.
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

// u32 returns a field of 32 bits. As in protobuf, higher bits are cut off.
func (f *fields) u32(num int) uint32 { return uint32(f.number[num]) }

// fill copies a field of fixed size to dst. It returns false if the field has another size.
func (f *fields) fill(dst []byte, num int) bool {
	return copy(dst, f.bytes[num]) == len(f.bytes[num]) && len(f.bytes[num]) == len(dst)
}

// The functions below write fields as protobuf does: zero fields are omitted. begin starts a
// nested message, or packed numbers, and returns its position; end writes its length there.

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

// end writes the length of what was written since begin. If the length needs more than the one
// byte reserved for it, end moves the contents; that costs less than to compute the length
// first.
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
