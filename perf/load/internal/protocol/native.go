package protocol

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
	"gatepass/perf/load/players"
)

// Native is the client's side of the native protocol: it writes messages and computes
// proofs for all connections of an event loop. It is not safe for concurrent use.
type Native struct {
	// TakesUpdates says that the clients accept updates.
	TakesUpdates bool

	players *players.Native
	build   grunt.Build
	random  *mrand.ChaCha8 // draws nonces and secrets
	body    []byte         // scratch
	frame   pb.ServerFrame // scratch
}

func NewNative(players *players.Native, build grunt.Build) *Native {
	var seed [32]byte
	_, _ = rand.Read(seed[:]) // never fails
	return &Native{players: players, build: build, random: mrand.NewChaCha8(seed)}
}

func (t *Native) random32() (b [32]byte) {
	_, _ = t.random.Read(b[:]) // never fails
	return b
}

// NativeConn is the state of one connection of the native protocol.
type NativeConn struct {
	// Player is the account; nil: an unknown account or a wrong password.
	Player *players.Player
	// ByToken says that the client asks to sign in by token.
	ByToken bool

	transcript           native.Transcript
	nonces               keyschedule.Nonces
	exchange             *srp6a.Client     // by password
	token                devicetoken.Proof // by token
	keys                 keyschedule.Keys
	sealed               bool // frames are sealed, from Accepted on
	fromServer, toServer native.Direction
	pings                uint64
}

// Body returns the message in a frame. It opens sealed frames in place, and fails if the
// seal is wrong.
func (k *NativeConn) Body(frame []byte) ([]byte, error) {
	if !k.sealed {
		return frame[native.HeaderSize:], nil
	}
	return k.fromServer.Open(frame)
}

// Parse decodes a server's message. It is valid until the next parse.
func (t *Native) Parse(body []byte) (*pb.ServerFrame, error) {
	return &t.frame, proto.Unmarshal(body, &t.frame)
}

// append writes a frame. Until the connection is sealed, the frame is in the clear and
// part of the transcript.
func (t *Native) append(dst []byte, k *NativeConn, m *pb.ClientFrame) []byte {
	body, err := proto.MarshalOptions{}.MarshalAppend(t.body[:0], m)
	if err != nil {
		panic("load: " + err.Error()) // a message of our own
	}
	t.body = body
	if k.sealed {
		return k.toServer.Seal(dst, body)
	}
	k.transcript.Add(body)
	return append(binary.LittleEndian.AppendUint32(dst, uint32(len(body))), body...)
}

// AppendSignIn writes the first message and resets the connection's state, except its
// player and byToken.
func (t *Native) AppendSignIn(dst []byte, k *NativeConn, name string) []byte {
	*k = NativeConn{Player: k.Player, ByToken: k.ByToken, transcript: native.NewTranscript(false), nonces: keyschedule.Nonces{Client: t.random32()}}
	m := &pb.SignIn{
		Version: 1, Account: name, Nonce: k.nonces.Client[:], Build: uint32(t.build),
		Platform: "x64", System: "Lin", Locale: "enUS", TakesUpdates: t.TakesUpdates,
	}
	if k.Player != nil {
		m.Device = k.Player.Device.ID[:]
	}
	if k.ByToken {
		m.TokenFamily = k.Player.Device.Family[:]
	}
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: m}})
}

// AppendPasswordProof writes the answer to a challenge. It returns false if the challenge
// is invalid.
func (t *Native) AppendPasswordProof(dst []byte, k *NativeConn, a *PasswordRequest) ([]byte, bool) {
	ch := srp6a.Challenge{
		Params: srp6a.Params{Group: srp6a.Group(a.Group), KDF: srp6a.KDF{
			MemoryKiB: a.Kdf.GetMemoryKib(), Passes: a.Kdf.GetPasses(), Lanes: a.Kdf.GetLanes(),
		}},
		B: a.PublicKey,
	}
	if copy(ch.Salt[:], a.Salt) != len(a.Salt) || copy(k.nonces.Server[:], a.Nonce) != len(a.Nonce) || ch.Params.Validate() != nil {
		return dst, false
	}
	k.transcript.Add(a.Body)
	secret := t.random32()
	k.exchange = srp6a.NewClient(t.identity(k, a.Name, &ch), &secret)
	key, proof, err := k.exchange.Respond(&ch)
	if err != nil {
		return dst, false
	}
	dst = t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{
		PasswordProof: &pb.PasswordProof{PublicKey: key, Proof: proof[:]},
	}})
	k.keys = keyschedule.Password(k.exchange.Secret(), &k.nonces, (*[32]byte)(&k.transcript))
	return dst, true
}

// PasswordRequest is a server's challenge for the password of an account.
type PasswordRequest struct {
	*pb.PasswordChallenge
	Body []byte // as received
	Name string // of the account
}

// identity returns the identity that proves the password. That of a player is kept.
// Unknown accounts and wrong passwords use the challenge's salt and an x of their own.
func (t *Native) identity(k *NativeConn, name string, ch *srp6a.Challenge) *srp6a.Identity {
	if k.Player == nil {
		wrong := srp6a.Known{Params: ch.Params, Salt: ch.Salt, X: [32]byte{1}}
		return wrong.Identity(name)
	}
	if k.Player.Identity == nil {
		k.Player.Identity = t.players.Known.Identity(name)
	}
	return k.Player.Identity
}

// AppendTokenProof writes the proof of the player's token. It returns false if the
// challenge is invalid.
func (t *Native) AppendTokenProof(dst []byte, k *NativeConn, ch *pb.TokenChallenge, body []byte) ([]byte, bool) {
	if copy(k.nonces.Server[:], ch.Nonce) != len(ch.Nonce) {
		return dst, false
	}
	k.transcript.Add(body)
	d := &k.Player.Device
	next := t.random32()
	k.token = devicetoken.Proof{Secret: d.Secret, Next: devicetoken.VerifierOf(&next)}
	if d.Unsure {
		k.token.Secret, k.token.Fallback = d.Next, d.Secret
		d.Secret = d.Next
	}
	d.Next, d.Unsure = next, true
	sealed := devicetoken.Seal(&d.Key, &devicetoken.Exchange{Nonces: k.nonces, Transcript: k.transcript}, &k.token)
	dst = t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_TokenProof{TokenProof: &pb.TokenProof{Sealed: sealed[:]}}})
	plain := k.token.Bytes()
	k.keys = keyschedule.Token(&d.Key, &plain, &k.nonces, (*[32]byte)(&k.transcript))
	return dst, true
}

// CheckAccepted checks the server's proof. If it is right, frames are sealed from now on;
// otherwise accepted returns false.
func (t *Native) CheckAccepted(k *NativeConn, proof []byte) bool {
	if len(proof) != 32 {
		return false
	}
	if !k.ByToken && k.exchange.CheckServer((*[32]byte)(proof)) != nil {
		return false
	}
	if k.ByToken {
		if subtle.ConstantTimeCompare(k.keys.Proof[:], proof) != 1 {
			return false
		}
		d := &k.Player.Device
		d.Secret, d.Unsure = d.Next, false
	}
	k.fromServer, k.toServer = native.NewDirection(&k.keys.ToClient), native.NewDirection(&k.keys.ToServer)
	k.sealed, k.exchange = true, nil
	return true
}

// AppendRemember writes the request for a token.
func (t *Native) AppendRemember(dst []byte, k *NativeConn) []byte {
	k.Player.Device.Secret = t.random32()
	verifier := devicetoken.VerifierOf(&k.Player.Device.Secret)
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_RememberDevice{
		RememberDevice: &pb.RememberDevice{Name: "bench", Verifier: verifier[:]},
	}})
}

// StoreToken stores the token that the server has issued. It returns false if the token
// is invalid.
func (k *NativeConn) StoreToken(m *pb.Remembered) bool {
	d := &k.Player.Device
	d.Known = copy(d.Family[:], m.Family) == len(m.Family) && copy(d.Key[:], m.Key) == len(m.Key)
	return d.Known
}

// AppendPing writes a sign of life.
func (t *Native) AppendPing(dst []byte, k *NativeConn) []byte {
	k.pings++
	return t.append(dst, k, &pb.ClientFrame{Body: &pb.ClientFrame_Ping{Ping: &pb.Ping{Number: k.pings}}})
}
