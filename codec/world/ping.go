package world

import (
	"encoding/binary"

	"gatepass/codec"
)

// Ping is CMSG_PING. It keeps the connection alive and measures its latency.
type Ping struct {
	// Sequence is returned in the answer.
	Sequence uint32
	// Latency is the client's last measurement, in milliseconds.
	Latency uint32
}

// AppendPing writes the body of a CMSG_PING.
func AppendPing(dst []byte, p Ping) []byte {
	dst = binary.LittleEndian.AppendUint32(dst, p.Sequence)
	return binary.LittleEndian.AppendUint32(dst, p.Latency)
}

// ParsePing reads a whole body of a CMSG_PING.
func ParsePing(body []byte) (Ping, error) {
	c := codec.NewCursor(body)
	p := Ping{Sequence: c.U32(), Latency: c.U32()}
	if c.Short() || c.Offset() != len(body) {
		return Ping{}, badPing
	}
	return p, nil
}

// AppendPong writes the body of an SMSG_PONG.
func AppendPong(dst []byte, sequence uint32) []byte {
	return binary.LittleEndian.AppendUint32(dst, sequence)
}

// ParsePong reads a whole body of an SMSG_PONG.
func ParsePong(body []byte) (sequence uint32, err error) {
	c := codec.NewCursor(body)
	sequence = c.U32()
	if c.Short() || c.Offset() != len(body) {
		return 0, badPong
	}
	return sequence, nil
}
