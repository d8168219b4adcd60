package load

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/binary"
	mrand "math/rand/v2"

	"google.golang.org/protobuf/proto"

	"gatepass/auth/devicetoken"
	"gatepass/auth/keyschedule"
	"gatepass/auth/srp6a"
	"gatepass/codec/grunt"
	"gatepass/codec/native"
	pb "gatepass/codec/native/gatepasspb"
)

// tongue is how an engine speaks the native protocol: it writes what clients say and
// does their arithmetic. It belongs to the engine.
type tongue struct {
	players *Players
	build   grunt.Build
	updates bool           // the clients take an update where one is offered
	dice    *mrand.ChaCha8 // draws what is to be random
	body    []byte         // scratch
	frame   pb.ServerFrame // scratch
}

func newTongue(players *Players, build grunt.Build) *tongue {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	return &tongue{players: players, build: build, dice: mrand.NewChaCha8(seed)}
}

func (t *tongue) random() (b [32]byte) {
	_, _ = t.dice.Read(b[:]) // never fails
	return b
}

// talk is one connection's memory of the native protocol.
type talk struct {
	player     *player // nil: nobody's account, or not its password
	said       native.Transcript
	nonces     keyschedule.Nonces
	exchange   *srp6a.Client     // by password
	token      devicetoken.Proof // by token
	keys       keyschedule.Keys
	byToken    bool
	open       bool // from Accepted on
	toUs, ours native.Direction
	pings      uint64
}

// append writes a frame: in the clear, when it also goes into the transcript, or
// sealed.
func (t *tongue) append(dst []byte, k *talk, m *pb.ClientFrame) []byte {
	body, err := proto.MarshalOptions{}.MarshalAppend(t.body[:0], m)
	if err != nil {
		panic("load: " + err.Error()) // a message of our own
	}
	t.body = body
	if k.open {
		return k.ours.Seal(dst, body)
	}
	k.said.Add(body)
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(body))), body...)
}

// appendSignIn writes the first message. byToken asks to be signed in by the
// player's token.
func (t *tongue) appendSignIn(dst []byte, k *talk, name string) []byte {
	*k = talk{player: k.player, byToken: k.byToken, said: native.NewTranscript(false), nonces: keyschedule.Nonces{Client: t.random()}}
	m := &pb.SignIn{
		Version: 1, Account: name, Nonce: k.nonces.Client[:], Build: uint32(t.build),
		Platform: "x64", System: "Lin", Locale: "enUS", TakesUpdates: t.updates,
	}
	if k.player != nil {
		m.Device = k.player.device.id[:]
	}
	if k.byToken {
		m.TokenFamily = k.player.device.family[:]
	}
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: m}})
}

// appendPasswordProof answers the server's key; body is the challenge as it came. It is
// false for one that no player could answer.
func (t *tongue) appendPasswordProof(dst []byte, k *talk, a *passwordAsked) ([]byte, bool) {
	ch := srp6a.Challenge{
		Params: srp6a.Params{Group: srp6a.Group(a.Group), KDF: srp6a.KDF{
			MemoryKiB: a.Kdf.GetMemoryKib(), Passes: a.Kdf.GetPasses(), Lanes: a.Kdf.GetLanes(),
		}},
		B: a.PublicKey,
	}
	if copy(ch.Salt[:], a.Salt) != len(a.Salt) || copy(k.nonces.Server[:], a.Nonce) != len(a.Nonce) || ch.Params.Validate() != nil {
		return dst, false
	}
	k.said.Add(a.body)
	secret := t.random()
	k.exchange = srp6a.NewClient(t.identity(k, a.name, &ch), &secret)
	key, proof, err := k.exchange.Respond(&ch)
	if err != nil {
		return dst, false
	}
	dst = t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{
		PasswordProof: &pb.PasswordProof{PublicKey: key, Proof: proof[:]},
	}})
	k.keys = keyschedule.Password(k.exchange.Secret(), &k.nonces, (*[32]byte)(&k.said))
	return dst, true
}

// passwordAsked is a challenge for an account's password.
type passwordAsked struct {
	*pb.PasswordChallenge
	body []byte // as it came
	name string // of the account
}

// identity is who proves the password. A player's is kept; who has a wrong password, or
// no account, has an x of its own for whatever salt there is.
func (t *tongue) identity(k *talk, name string, ch *srp6a.Challenge) *srp6a.Identity {
	if k.player == nil {
		wrong := srp6a.Known{Params: ch.Params, Salt: ch.Salt, X: [32]byte{1}}
		return wrong.Identity(name)
	}
	if k.player.identity == nil {
		k.player.identity = t.players.known.Identity(name)
	}
	return k.player.identity
}

// appendTokenProof shows the token.
func (t *tongue) appendTokenProof(dst []byte, k *talk, ch *pb.TokenChallenge, body []byte) ([]byte, bool) {
	if copy(k.nonces.Server[:], ch.Nonce) != len(ch.Nonce) {
		return dst, false
	}
	k.said.Add(body)
	d := &k.player.device
	next := t.random()
	k.token = devicetoken.Proof{Secret: d.secret, Next: devicetoken.VerifierOf(&next)}
	if d.unsure {
		k.token.Secret, k.token.Fallback = d.next, d.secret
		d.secret = d.next
	}
	d.next, d.unsure = next, true
	sealed := devicetoken.Seal(&d.key, &devicetoken.Exchange{Nonces: k.nonces, Transcript: k.said}, &k.token)
	dst = t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_TokenProof{TokenProof: &pb.TokenProof{Sealed: sealed[:]}}})
	plain := k.token.Bytes()
	k.keys = keyschedule.Token(&d.key, &plain, &k.nonces, (*[32]byte)(&k.said))
	return dst, true
}

// accepted takes the server's proof and opens the channel; false if it is wrong.
func (t *tongue) accepted(k *talk, proof []byte) bool {
	if len(proof) != 32 {
		return false
	}
	if !k.byToken && k.exchange.CheckServer((*[32]byte)(proof)) != nil {
		return false
	}
	if k.byToken {
		if subtle.ConstantTimeCompare(k.keys.Proof[:], proof) != 1 {
			return false
		}
		d := &k.player.device
		d.secret, d.unsure = d.next, false
	}
	k.toUs, k.ours = native.NewDirection(&k.keys.ToClient), native.NewDirection(&k.keys.ToServer)
	k.open, k.exchange = true, nil
	return true
}

// appendRemember asks for a token.
func (t *tongue) appendRemember(dst []byte, k *talk) []byte {
	k.player.device.secret = t.random()
	verifier := devicetoken.VerifierOf(&k.player.device.secret)
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{
		RememberDevice: &pb.RememberDevice{Name: "bench", Verifier: verifier[:]},
	}})
}

// remembered takes the token.
func (k *talk) remembered(m *pb.Remembered) bool {
	d := &k.player.device
	d.known = copy(d.family[:], m.Family) == len(m.Family) && copy(d.key[:], m.Key) == len(m.Key)
	return d.known
}

// appendPing shows the server that the client is there.
func (t *tongue) appendPing(dst []byte, k *talk) []byte {
	k.pings++
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{Number: k.pings}}})
}
