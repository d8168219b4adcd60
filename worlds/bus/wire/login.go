package wire

import (
	"net"
	"net/netip"

	"gatepass/worlds"
)

// loginWire is a LoginBeat. The subject of a heartbeat names the node, so Node is empty
// there; it is set in the list that operators ask for.
type loginWire struct {
	Node        string `json:"node,omitempty"`
	Incarnation Hex64  `json:"incarnation,omitzero"`
	Address     string `json:"address"`
	Conns       uint32 `json:"conns"`
	MaxConns    uint32 `json:"max_conns"`
	Draining    bool   `json:"draining,omitempty"`
	// Native is the address for native clients.
	Native string `json:"native,omitempty"`
}

// EncodeLoginBeat encodes a heartbeat of a login server.
func EncodeLoginBeat(b *worlds.LoginBeat) []byte {
	return EncodeJSON(loginToWire(b))
}

func loginToWire(b *worlds.LoginBeat) loginWire {
	return loginWire{
		Incarnation: Hex64(b.Incarnation), Address: b.Address,
		Conns: b.Conns, MaxConns: b.MaxConns, Draining: b.Draining, Native: b.Native,
	}
}

// DecodeLoginBeat reads a heartbeat of the login server that the subject names.
func DecodeLoginBeat(from worlds.Node, b []byte) (worlds.LoginBeat, error) {
	var w loginWire
	if err := DecodeJSON(b, MaxSmall, &w); err != nil {
		return worlds.LoginBeat{}, err
	}
	return w.value(from)
}

func (w *loginWire) value(from worlds.Node) (worlds.LoginBeat, error) {
	b := worlds.LoginBeat{
		Node: from, Incarnation: uint64(w.Incarnation), Address: w.Address,
		Conns: w.Conns, MaxConns: w.MaxConns, Draining: w.Draining, Native: w.Native,
	}
	if _, err := netip.ParseAddrPort(w.Address); err != nil {
		return b, errPayload
	}
	if w.Native == "" {
		return b, nil
	}
	if host, port, err := net.SplitHostPort(w.Native); err != nil || host == "" || port == "" || len(w.Native) > maxText {
		return b, errPayload
	}
	return b, nil
}

type loginsWire struct {
	Logins []loginWire `json:"logins"`
}

// EncodeLogins encodes the login servers that the leading manager hears.
func EncodeLogins(all []worlds.LoginBeat) []byte {
	w := loginsWire{Logins: make([]loginWire, len(all))}
	for i := range all {
		w.Logins[i] = loginToWire(&all[i])
		w.Logins[i].Node = string(all[i].Node)
	}
	return EncodeJSON(w)
}

// DecodeLogins reads what EncodeLogins writes.
func DecodeLogins(b []byte) ([]worlds.LoginBeat, error) {
	var w loginsWire
	if err := DecodeJSON(b, maxSnapshot, &w); err != nil {
		return nil, err
	}
	all := make([]worlds.LoginBeat, len(w.Logins))
	for i := range w.Logins {
		node := worlds.Node(w.Logins[i].Node)
		if node.Kind() != worlds.KindLogin || node.Validate() != nil {
			return nil, errPayload
		}
		var err error
		if all[i], err = w.Logins[i].value(node); err != nil {
			return nil, err
		}
	}
	return all, nil
}
