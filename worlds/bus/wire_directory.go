package bus

import "gatepass/worlds"

// placeWire is a Place without stamp and hop. An empty holder is nobody. Epoch is
// that of the leader who says it, 0 for one of an earlier version.
type placeWire struct {
	Account account `json:"account"`
	Holder  string  `json:"holder"`
	Tag     hex64   `json:"tag"`
	Epoch   hex64   `json:"epoch,omitempty"`
}

func encodePlace(p *worlds.Place, epoch uint64) []byte {
	return encodeJSON(placeWire{account(p.Account), string(p.Holder), hex64(p.Tag), hex64(epoch)})
}

func decodePlace(b []byte) (p *worlds.Place, epoch uint64, err error) {
	var w placeWire
	if err := decodeJSON(b, maxSmall, &w); err != nil {
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
	Tag     hex64   `json:"tag"`
	Wait    bool    `json:"wait"`
}

func appendLocate(b []byte, l *worlds.Locate) []byte {
	return append(b, encodeJSON(locateWire{account(l.Account), hex64(l.Tag), l.Wait})...)
}

func decodeLocate(b []byte) (*worlds.Locate, error) {
	var w locateWire
	if err := decodeJSON(b, maxSmall, &w); err != nil {
		return nil, err
	}
	if w.Account == (account{}) {
		return nil, errPayload
	}
	return &worlds.Locate{Account: [16]byte(w.Account), Tag: uint64(w.Tag), Wait: w.Wait}, nil
}

// endWire is an End, with the epoch of the leader who says it.
type endWire struct {
	Account account `json:"account"`
	Stamp   hex64   `json:"stamp"`
	Why     string  `json:"why"`
	Epoch   hex64   `json:"epoch,omitempty"`
}

type accountEndWire struct {
	Account account `json:"account"`
	Why     string  `json:"why"`
}

func encodeEnd(e *worlds.End, epoch uint64) []byte {
	return encodeJSON(endWire{account(e.Account), hex64(e.Stamp), clip(e.Why), hex64(epoch)})
}

func decodeEnd(b []byte) (e *worlds.End, epoch uint64, err error) {
	var w endWire
	if err := decodeJSON(b, maxSmall, &w); err != nil {
		return nil, 0, err
	}
	if w.Account == (account{}) || len(w.Why) > maxText {
		return nil, 0, errPayload
	}
	return &worlds.End{Account: [16]byte(w.Account), Stamp: worlds.Stamp(w.Stamp), Why: w.Why}, uint64(w.Epoch), nil
}

func appendAccountEnd(b []byte, e *worlds.AccountEnd) []byte {
	return append(b, encodeJSON(accountEndWire{account(e.Account), clip(e.Why)})...)
}

func decodeAccountEnd(b []byte) (*worlds.AccountEnd, error) {
	var w accountEndWire
	if err := decodeJSON(b, maxSmall, &w); err != nil {
		return nil, err
	}
	if w.Account == (account{}) || len(w.Why) > maxText {
		return nil, errPayload
	}
	return &worlds.AccountEnd{Account: [16]byte(w.Account), Why: w.Why}, nil
}

// clip shortens a text of ours that is for people.
func clip(s string) string { return s[:min(len(s), maxText)] }
