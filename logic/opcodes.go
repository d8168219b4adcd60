package logic

import "gatepass/codec"

// opcodes says in which states a client's message is valid. A state never gets a message
// that is not valid in it. Opened and Closed come from the reactor and are handled before.
var opcodes = [codec.KindCount]stateSet{
	codec.KindLogonChallenge:     in(StateConnected),
	codec.KindReconnectChallenge: in(StateConnected),
	codec.KindLogonProof:         in(StateProving),
	codec.KindReconnectProof:     in(StateReproving),
	codec.KindWorldList:          in(StateChoosing),
	codec.KindTransferAccept:     in(StateUpdating),
	codec.KindTransferResume:     in(StateUpdating),
	codec.KindTransferCancel:     in(StateUpdating),
	codec.KindTransferEnded:      in(StateUpdating),

	codec.KindSignIn:         in(StateConnected),
	codec.KindPasswordProof:  in(StateProving),
	codec.KindTokenProof:     in(StateProving),
	codec.KindFactorCode:     in(StateConfirming),
	codec.KindPing:           welcomed | in(StateUpdating),
	codec.KindSelectWorld:    welcomed,
	codec.KindReleaseWorld:   welcomed,
	codec.KindRememberDevice: welcomed,
	codec.KindForgetDevice:   welcomed,
}

// stateSet is a set of states.
type stateSet uint16

func in(ids ...StateID) (set stateSet) {
	for _, id := range ids {
		set |= 1 << id
	}
	return set
}

func (set stateSet) has(id StateID) bool { return set&(1<<id) != 0 }
