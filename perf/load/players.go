package load

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"slices"
	"strings"

	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// Players are accounts that sign in over the native protocol, and what each keeps from
// one sign-in to the next. They have one salt and one x in common, so that neither who
// makes the accounts nor the client pays for as many passwords' Argon2id; the server
// cannot tell, for no arithmetic of its own depends on it. They belong to one run at a
// time.
type Players struct {
	known   srp6a.Known
	byToken bool
	list    []player
}

// player is one of them. It belongs to its engine while there is one.
type player struct {
	name     string
	identity *srp6a.Identity // once it has signed in by password
	device   device
	playing  bool // a connection has it
}

// device is a player's device, and the token that the server has given it.
type device struct {
	id          [16]byte
	known       bool // there is a token
	family      [16]byte
	key, secret [32]byte
	// next is the secret that takes the other's place once the server has said yes;
	// unsure says that it was shown and that the answer never came.
	next   [32]byte
	unsure bool
}

// NewPlayers makes players of accounts, whose passwords are not theirs. byToken makes
// them sign in by token, once each has been given one.
func NewPlayers(accounts []Account, byToken bool) *Players {
	p := &Players{byToken: byToken, list: make([]player, len(accounts)), known: srp6a.Known{
		Params: srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()},
		Salt:   sha256.Sum256([]byte("salt")), X: sha256.Sum256([]byte("x")),
	}}
	for i, a := range accounts {
		p.list[i].name = strings.ToUpper(a.Name)
		sum := sha256.Sum256([]byte(p.list[i].name))
		p.list[i].device.id = [16]byte(sum[:])
	}
	return p
}

// share is what engine i of n plays, by the rule of crewOptions.share.
func (p *Players) share(i, n int) []*player {
	if p == nil {
		return nil
	}
	var share []*player
	for k := i; k < len(p.list); k += n {
		share = append(share, &p.list[k])
	}
	return share
}

// enrolled tells whether nobody lacks a token that should have one.
func (p *Players) enrolled() bool {
	return p == nil || !p.byToken || !slices.ContainsFunc(p.list, func(p player) bool { return !p.device.known })
}

// protocolGrunt is what clients speak that are no Players.
const protocolGrunt = "grunt"

// protocol names what clients speak.
func (p *Players) protocol() string {
	switch {
	case p == nil:
		return protocolGrunt
	case p.byToken:
		return "native, by token"
	}
	return "native"
}

// WriteNDJSON writes the accounts for 'gatepass account import'.
func (p *Players) WriteNDJSON(w io.Writer) error {
	v := p.known.Verifier()
	others := map[string]string{storage.ProtocolNative: hex.EncodeToString(v.Append(nil))}
	out := json.NewEncoder(w)
	for i := range p.list {
		if err := out.Encode(map[string]any{"username": p.list[i].name, "others": others}); err != nil {
			return err
		}
	}
	return nil
}
