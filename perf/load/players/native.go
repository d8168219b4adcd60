package players

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

// Native are accounts of the native protocol with the state that each keeps from one
// sign-in to the next. All have the same salt and the same x, so that the password's
// Argon2id is computed once and not for each account. The server's arithmetic does not
// depend on either, so its cost does not change. One run at a time may use them.
type Native struct {
	Known   srp6a.Known
	ByToken bool
	List    []Player
}

// Player is one account. While an engine runs, only its goroutine may use it.
type Player struct {
	name     string
	Identity *srp6a.Identity // nil until the first sign-in by password
	Device   device
	InUse    bool // a connection uses the account
}

// device is the player's device with its device token.
type device struct {
	ID          [16]byte
	Known       bool // the server has issued a token
	Family      [16]byte
	Key, Secret [32]byte
	// Next is the secret that replaces the current one once the server has accepted it.
	// unsure says that next was sent and that the answer did not arrive.
	Next   [32]byte
	Unsure bool
}

// NewNative makes native accounts with the names of accounts. Their passwords are not
// used. byToken makes players sign in by token once the server has issued one.
func NewNative(accounts []Account, byToken bool) *Native {
	p := &Native{ByToken: byToken, List: make([]Player, len(accounts)), Known: srp6a.Known{
		Params: srp6a.Params{Group: srp6a.Group2048, KDF: srp6a.MinKDF()},
		Salt:   sha256.Sum256([]byte("salt")), X: sha256.Sum256([]byte("x")),
	}}
	for i, a := range accounts {
		p.List[i].name = strings.ToUpper(a.Name)
		sum := sha256.Sum256([]byte(p.List[i].name))
		p.List[i].Device.ID = [16]byte(sum[:])
	}
	return p
}

// Share returns the accounts of worker i of n: each n-th one. It returns none for nil.
func (p *Native) Share(i, n int) []*Player {
	if p == nil {
		return nil
	}
	var share []*Player
	for k := i; k < len(p.List); k += n {
		share = append(share, &p.List[k])
	}
	return share
}

// HaveTokens reports whether every account that signs in by token has one.
func (p *Native) HaveTokens() bool {
	return p == nil || !p.ByToken || !slices.ContainsFunc(p.List, func(p Player) bool { return !p.Device.Known })
}

// Grunt is the name of the protocol that clients without native accounts use.
const Grunt = "grunt"

// Protocol returns the name of the protocol that clients with these accounts use.
func (p *Native) Protocol() string {
	switch {
	case p == nil:
		return Grunt
	case p.ByToken:
		return "native, by token"
	}
	return "native"
}

// WriteNDJSON writes the accounts in the format of 'gatepass account import'.
func (p *Native) WriteNDJSON(w io.Writer) error {
	v := p.Known.Verifier()
	others := map[string]string{storage.ProtocolNative: hex.EncodeToString(v.Append(nil))}
	out := json.NewEncoder(w)
	for i := range p.List {
		if err := out.Encode(map[string]any{"username": p.List[i].name, "others": others}); err != nil {
			return err
		}
	}
	return nil
}
