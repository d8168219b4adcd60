package logic

import "gatepass/codec"

// opcodes says in which states a client's message is valid. It guards the door:
// no state sees a message that it does not take. Opened and Closed are the
// reactor's own words and handled before.
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

// refusals says with which reply a message is refused, where its protocol has
// one. Native clients are refused in one way.
var refusals = [codec.KindCount]codec.ReplyKind{
	codec.KindLogonChallenge:     codec.ReplyLogonChallenge,
	codec.KindReconnectChallenge: codec.ReplyReconnectChallenge,
	codec.KindLogonProof:         codec.ReplyLogonProof,
	codec.KindReconnectProof:     codec.ReplyReconnectProof,
}
