package wire

import "gatepass/worlds"

// placeWire is a Place without stamp and hop. Holder is empty if no node holds the key.
// Epoch is that of the leader that sends it; a leader of an earlier version sends none,
// which reads as 0.
type placeWire struct {
	Account account `json:"account"`
	Holder  string  `json:"holder"`
	Tag     Hex64   `json:"tag"`
	Epoch   Hex64   `json:"epoch,omitempty"`
}

// EncodePlace encodes where an account's key is, as told by the leader of an epoch.
func EncodePlace(p *worlds.Place, epoch uint64) []byte {
	return EncodeJSON(placeWire{account(p.Account), string(p.Holder), Hex64(p.Tag), Hex64(epoch)})
}

// DecodePlace also returns the epoch of the leader.
func DecodePlace(b []byte) (p *worlds.Place, epoch uint64, err error) {
	var w placeWire
	if err := DecodeJSON(b, MaxSmall, &w); err != nil {
		return nil, 0, err
	}
	holder := worlds.Node(w.Holder)
	if w.Account == (account{}) || holder != "" && holder.Validate() != nil {
		return nil, 0, errPayload
	}
	return &worlds.Place{Account: [16]byte(w.Account), Holder: holder, Tag: uint64(w.Tag)}, uint64(w.Epoch), nil
}

type locateWire struct {
	Account account `json:"account"`
	Tag     Hex64   `json:"tag"`
	Wait    bool    `json:"wait"`
}

// AppendLocate encodes the question where an account's key is.
func AppendLocate(b []byte, l *worlds.Locate) []byte {
	return append(b, EncodeJSON(locateWire{account(l.Account), Hex64(l.Tag), l.Wait})...)
}

// DecodeLocate reads what AppendLocate writes.
func DecodeLocate(b []byte) (*worlds.Locate, error) {
	var w locateWire
	if err := DecodeJSON(b, MaxSmall, &w); err != nil {
		return nil, err
	}
	if w.Account == (account{}) {
		return nil, errPayload
	}
	return &worlds.Locate{Account: [16]byte(w.Account), Tag: uint64(w.Tag), Wait: w.Wait}, nil
}

// endWire is an End, with the epoch of the leader that sends it.
type endWire struct {
	Account account `json:"account"`
	Stamp   Hex64   `json:"stamp"`
	Why     string  `json:"why"`
	Epoch   Hex64   `json:"epoch,omitempty"`
}

type accountEndWire struct {
	Account account `json:"account"`
	Why     string  `json:"why"`
}

// EncodeEnd encodes a leader's command to end the sessions of an account.
func EncodeEnd(e *worlds.End, epoch uint64) []byte {
	return EncodeJSON(endWire{account(e.Account), Hex64(e.Stamp), Clip(e.Why), Hex64(epoch)})
}

// DecodeEnd also returns the epoch of the leader.
func DecodeEnd(b []byte) (e *worlds.End, epoch uint64, err error) {
	var w endWire
	if err := DecodeJSON(b, MaxSmall, &w); err != nil {
		return nil, 0, err
	}
	if w.Account == (account{}) || len(w.Why) > maxText {
		return nil, 0, errPayload
	}
	return &worlds.End{Account: [16]byte(w.Account), Stamp: worlds.Stamp(w.Stamp), Why: w.Why}, uint64(w.Epoch), nil
}

// AppendAccountEnd encodes a login server's request to end an account's sessions in the
// whole region.
func AppendAccountEnd(b []byte, e *worlds.AccountEnd) []byte {
	return append(b, EncodeJSON(accountEndWire{account(e.Account), Clip(e.Why)})...)
}

// DecodeAccountEnd reads what AppendAccountEnd writes.
func DecodeAccountEnd(b []byte) (*worlds.AccountEnd, error) {
	var w accountEndWire
	if err := DecodeJSON(b, MaxSmall, &w); err != nil {
		return nil, err
	}
	if w.Account == (account{}) || len(w.Why) > maxText {
		return nil, errPayload
	}
	return &worlds.AccountEnd{Account: [16]byte(w.Account), Why: w.Why}, nil
}

// Clip shortens a text for people to the longest that a decoder accepts.
func Clip(s string) string { return s[:min(len(s), maxText)] }
