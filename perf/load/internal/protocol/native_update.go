package protocol

import (
	pb "gatepass/codec/native/gatepasspb"
)

// AppendAcceptUpdate writes the request for the file from its start. window is how many
// unacknowledged bytes the server may send.
func (t *Native) AppendAcceptUpdate(dst []byte, k *NativeConn, window uint32) []byte {
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{
		AcceptUpdate: &pb.AcceptUpdate{Window: window},
	}})
}

// AppendUpdateReceived writes the acknowledgement of the file up to offset.
func (t *Native) AppendUpdateReceived(dst []byte, k *NativeConn, offset uint64) []byte {
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_UpdateReceived{
		UpdateReceived: &pb.UpdateReceived{Offset: offset},
	}})
}
