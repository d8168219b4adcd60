package grunt

import (
	"encoding/binary"

	"gatepass/codec"
)

const (
	// proofCount is the offset of the telemetry count.
	proofCount = 1 + 32 + 20 + 20
	// proofBase is the length of a proof of Layout2 without telemetry.
	proofBase = proofCount + 1
	// telemetrySize is the length of one telemetry record.
	telemetrySize = 2 + 4 + 4 + 20
)

// Telemetry is one CD-key record of a proof. The meaning of its first three fields is not
// public, and real clients send no records.
type Telemetry struct {
	Unknown1 uint16
	Unknown2 uint32
	Unknown3 [4]byte
	KeyProof [20]byte
}

// Proof is a logon proof with the fields that only the wire format has.
type Proof struct {
	codec.Proof
	// Telemetry has at most 255 records. A Session accepts none.
	Telemetry []Telemetry
}

// ParseProof reads a logon proof. Flags that layout l does not have and a token longer than
// codec.MaxToken are violations as soon as they are there. It allocates only for telemetry, at
// most 255 records, and only after they have arrived.
func ParseProof(b []byte, l Layout) (Proof, int, error) {
	if err := expect(b, opLogonProof); err != nil {
		return Proof{}, 0, err
	}
	var p Proof
	c := codec.NewCursor(b)
	c.U8()
	c.Copy(p.A[:])
	c.Copy(p.M1[:])
	c.Copy(p.CRCHash[:])
	p.Telemetry = parseTelemetry(&c)
	if err := parseFactors(&c, &p.Proof, l); err != nil {
		return Proof{}, 0, err
	}
	return p, c.Offset(), nil
}

// parseTelemetry reads the count and the records.
func parseTelemetry(c *codec.Cursor) []Telemetry {
	n := int(c.U8())
	b := c.Bytes(n * telemetrySize)
	if len(b) == 0 {
		return nil
	}
	records := make([]Telemetry, n)
	rc := codec.NewCursor(b)
	for i := range records {
		r := &records[i]
		r.Unknown1, r.Unknown2 = rc.U16(), rc.U32()
		rc.Copy(r.Unknown3[:])
		rc.Copy(r.KeyProof[:])
	}
	return records
}

// parseFactors reads the security flags and the second factors they announce.
func parseFactors(c *codec.Cursor, p *codec.Proof, l Layout) error {
	if l.hasFlags() {
		p.Factors = codec.Factors(c.U8())
	}
	if p.Factors&^l.Factors() != 0 {
		return badFlags
	}
	if p.Factors&codec.FactorPIN != 0 {
		c.Copy(p.PINSalt[:])
		c.Copy(p.PINHash[:])
	}
	if p.Factors&codec.FactorMatrix != 0 {
		c.Copy(p.Matrix[:])
	}
	if p.Factors&codec.FactorToken != 0 {
		p.TokenLen = c.U8()
		if p.TokenLen > codec.MaxToken {
			return badToken
		}
		c.Copy(p.Token[:p.TokenLen])
	}
	if c.Short() {
		return codec.ErrShort
	}
	return nil
}

// AppendProof writes a logon proof. It returns ErrFactor, ErrToken or ErrTelemetry if layout l
// cannot hold a field of p.
func AppendProof(dst []byte, l Layout, p *Proof) ([]byte, error) {
	switch {
	case p.Factors&^l.Factors() != 0:
		return dst, ErrFactor
	case p.TokenLen > codec.MaxToken:
		return dst, ErrToken
	case len(p.Telemetry) > 255:
		return dst, ErrTelemetry
	}
	dst = append(dst, opLogonProof)
	dst = append(dst, p.A[:]...)
	dst = append(dst, p.M1[:]...)
	dst = append(dst, p.CRCHash[:]...)
	dst = append(dst, byte(len(p.Telemetry)))
	for i := range p.Telemetry {
		dst = p.Telemetry[i].append(dst)
	}
	if !l.hasFlags() {
		return dst, nil
	}
	return appendFactors(append(dst, byte(p.Factors)), &p.Proof), nil
}

func (t *Telemetry) append(dst []byte) []byte {
	dst = binary.LittleEndian.AppendUint16(dst, t.Unknown1)
	dst = binary.LittleEndian.AppendUint32(dst, t.Unknown2)
	dst = append(dst, t.Unknown3[:]...)
	return append(dst, t.KeyProof[:]...)
}

// appendFactors writes the fields after the security flags.
func appendFactors(dst []byte, p *codec.Proof) []byte {
	if p.Factors&codec.FactorPIN != 0 {
		dst = append(dst, p.PINSalt[:]...)
		dst = append(dst, p.PINHash[:]...)
	}
	if p.Factors&codec.FactorMatrix != 0 {
		dst = append(dst, p.Matrix[:]...)
	}
	if p.Factors&codec.FactorToken != 0 {
		dst = append(dst, p.TokenLen)
		dst = append(dst, p.Token[:p.TokenLen]...)
	}
	return dst
}
