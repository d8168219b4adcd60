package native

import "google.golang.org/protobuf/encoding/protowire"

// The field numbers of the bodies in their frames, from gatepass.proto. A test compares them
// with the contract.
const (
	// In a ClientFrame.
	fieldSignIn         protowire.Number = 1
	fieldPasswordProof  protowire.Number = 2
	fieldTokenProof     protowire.Number = 3
	fieldFactorCode     protowire.Number = 4
	fieldRememberDevice protowire.Number = 5
	fieldForgetDevice   protowire.Number = 6
	fieldSelectWorld    protowire.Number = 7
	fieldReleaseWorld   protowire.Number = 8
	fieldPing           protowire.Number = 9
	fieldAcceptUpdate   protowire.Number = 16
	fieldUpdateReceived protowire.Number = 17
	fieldCancelUpdate   protowire.Number = 18

	// In a ServerFrame.
	fieldPasswordChallenge protowire.Number = 1
	fieldTokenChallenge    protowire.Number = 2
	fieldAccepted          protowire.Number = 3
	fieldRefused           protowire.Number = 4
	fieldFactorWanted      protowire.Number = 5
	fieldWelcome           protowire.Number = 6
	fieldRemembered        protowire.Number = 7
	fieldWorldSnapshot     protowire.Number = 8
	fieldWorldDelta        protowire.Number = 9
	fieldCharacters        protowire.Number = 10
	fieldPassIssued        protowire.Number = 11
	fieldSelectRefused     protowire.Number = 12
	fieldQueuePosition     protowire.Number = 13
	fieldEntered           protowire.Number = 14
	fieldNotice            protowire.Number = 15
	fieldUpdateOffered     protowire.Number = 16
	fieldUpdateQueued      protowire.Number = 17
	fieldUpdateData        protowire.Number = 18
	fieldUpdateSent        protowire.Number = 19
	fieldUpdateFailed      protowire.Number = 20
	fieldKicked            protowire.Number = 32
	fieldGoingAway         protowire.Number = 33
	fieldPong              protowire.Number = 34
	fieldWorldReleased     protowire.Number = 35

	// In a GateClientFrame.
	fieldGateHello  protowire.Number = 1
	fieldGatePing   protowire.Number = 2
	fieldGatePacket protowire.Number = 3

	// In a GateServerFrame.
	fieldGateChallenge     protowire.Number = 1
	fieldGateAccepted      protowire.Number = 2
	fieldGateRefused       protowire.Number = 3
	fieldGateQueuePosition protowire.Number = 4
	fieldGateEntered       protowire.Number = 5
	fieldGameReply         protowire.Number = 6
	fieldGateKicked        protowire.Number = 7
	fieldGatePong          protowire.Number = 8
)
