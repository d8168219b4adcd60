package grunt

import "gatepass/codec"

// reconnectProofSize is the length of a reconnect proof, for every client.
const reconnectProofSize = 1 + 16 + 20 + 20 + 1

// ParseReconnectProof reads a reconnect proof. Its last byte counts telemetry records. Their
// layout here is unknown, so any count but 0 is a violation.
func ParseReconnectProof(b []byte) (codec.Reconnect, int, error) {
	if err := expect(b, opReconnectProof); err != nil {
		return codec.Reconnect{}, 0, err
	}
	var r codec.Reconnect
	c := codec.NewCursor(b)
	c.U8()
	c.Copy(r.R1[:])
	c.Copy(r.R2[:])
	c.Copy(r.R3[:])
	switch count := c.U8(); {
	case c.Short():
		return codec.Reconnect{}, 0, codec.ErrShort
	case count != 0:
		return codec.Reconnect{}, 0, badReconnectCount
	}
	return r, reconnectProofSize, nil
}

// AppendReconnectProof writes a reconnect proof.
func AppendReconnectProof(dst []byte, r *codec.Reconnect) []byte {
	dst = append(dst, opReconnectProof)
	dst = append(dst, r.R1[:]...)
	dst = append(dst, r.R2[:]...)
	dst = append(dst, r.R3[:]...)
	return append(dst, 0)
}
