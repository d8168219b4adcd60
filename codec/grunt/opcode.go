package grunt

import "gatepass/codec"

// The opcodes of both directions.
const (
	opLogonChallenge     = 0x00
	opLogonProof         = 0x01
	opReconnectChallenge = 0x02
	opReconnectProof     = 0x03
	opSurveyResult       = 0x04
	opRealmList          = 0x10
	opTransferOffer      = 0x30 // XFER_INITIATE
	opTransferData       = 0x31
	opTransferAccept     = 0x32
	opTransferResume     = 0x33
	opTransferCancel     = 0x34
)

// expect checks that b begins with the opcode op.
func expect(b []byte, op byte) error {
	switch {
	case len(b) == 0:
		return codec.ErrShort
	case b[0] != op:
		return unexpected[b[0]]
	}
	return nil
}
