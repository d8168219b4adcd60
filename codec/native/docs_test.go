package native

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/big"
	"os"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// The pages' examples are computed here by the rules of the pages, with math/big and the
// standard library. This is a second implementation of the protocol, independent of the
// packages in auth. Real sessions handle the frames and must agree.

// example collects the lines of one example.
type example struct{ strings.Builder }

// put writes a value, 32 bytes a line.
func (e *example) put(name string, b []byte) {
	for i := 0; i == 0 || i < len(b); i += 32 {
		fmt.Fprintf(e, "%-24s %x\n", name, b[i:min(i+32, len(b))])
		name = ""
	}
}

func (e *example) say(name, value string) { fmt.Fprintf(e, "%-24s %s\n", name, value) }

// frame writes a frame and returns it.
func (e *example) frame(name string, f []byte) []byte { e.put(name+" frame", f); return f }

func hash(parts ...[]byte) []byte {
	sum := sha256.Sum256(bytes.Join(parts, nil))
	return sum[:]
}

func number256(parts ...[]byte) *big.Int { return new(big.Int).SetBytes(hash(parts...)) }

func xor(a, b []byte) []byte {
	out := make([]byte, len(a))
	for i := range a {
		out[i] = a[i] ^ b[i]
	}
	return out
}

func mustExtract(t testing.TB, salt, ikm []byte) []byte {
	t.Helper()
	prk, err := hkdf.Extract(sha256.New, ikm, salt)
	if err != nil {
		t.Fatal(err)
	}
	return prk
}

func mustExpand(t testing.TB, prk []byte, info ...[]byte) []byte {
	t.Helper()
	key, err := hkdf.Expand(sha256.New, prk, string(bytes.Join(info, nil)), 32)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// mustSeal seals the frame of that number as the page says.
func mustSeal(t testing.TB, key []byte, count uint64, body, data []byte) []byte {
	t.Helper()
	aead, err := chacha20poly1305.New(key)
	if err != nil {
		t.Fatal(err)
	}
	return aead.Seal(nil, binary.LittleEndian.AppendUint64(make([]byte, 4), count), body, data)
}

func mustSealFrame(t testing.TB, key []byte, count uint64, body []byte) []byte {
	t.Helper()
	length := binary.LittleEndian.AppendUint32(nil, uint32(len(body)+16))
	return append(length, mustSeal(t, key, count, body, length)...)
}

// spoken is a connection with its transcript.
type spoken struct {
	t testing.TB
	*example
	server
	transcript []byte
}

func begun(t testing.TB, e *example, s server, label string) *spoken {
	c := &spoken{t, e, s, hash([]byte(label))}
	e.put("T(0)", c.transcript)
	return c
}

func (c *spoken) add(body []byte) { c.transcript = hash(c.transcript, hash(body)) }

// client writes a client's message in the clear and passes it to the server.
func (c *spoken) client(name string, body []byte) codec.Message {
	c.t.Helper()
	m := mustDecode(c.t, c.server, c.frame(name, inClear(body)))
	c.add(body)
	c.put("T after it", c.transcript)
	return m
}

// tells writes a server's message in the clear.
func (c *spoken) tells(name string, r codec.Reply) {
	c.t.Helper()
	f := c.frame(name, mustAppend(c.t, c.server, r))
	if r.Kind != codec.ReplyAccepted && r.Kind != codec.ReplyGateAccepted {
		c.add(f[HeaderSize:])
		c.put("T after it", c.transcript)
	}
}

// drawn has the keys of a connection.
type drawn struct{ toServer, toClient, session, proof []byte }

func (d *drawn) channel() codec.ChannelKeys {
	return codec.ChannelKeys{ToServer: [32]byte(d.toServer), ToClient: [32]byte(d.toClient)}
}

func (c *spoken) draw(salt, ikm []byte) (d drawn) {
	prk := mustExtract(c.t, salt, ikm)
	c.put("PRK", prk)
	for _, k := range []struct {
		to   *[]byte
		name string
	}{{&d.toServer, "to server"}, {&d.toClient, "to client"}, {&d.session, "session"}, {&d.proof, "server proof"}} {
		*k.to = mustExpand(c.t, prk, []byte("gatepass v1 "+k.name), c.transcript)
		c.put("key: "+k.name, *k.to)
	}
	return d
}

// The parties of the examples.
var (
	clientNonce, serverNonce = seq(0x20, 32), seq(0x60, 32)
	docDevice                = seq(0xD0, 16)
)

func hello(nonce []byte) *pb.SignIn {
	return &pb.SignIn{Version: 1, Account: "Player1", Nonce: nonce, Build: 12340, Platform: "x64", System: "Win", Locale: "enUS", Device: docDevice}
}

// examplePassword is a whole sign-in by password. It returns the keys.
func examplePassword(t testing.TB, e *example) (keys drawn, s server) {
	g := mustGroup(t, 2048)
	name, password, salt := "PLAYER1", "correct horse", seq(0xA0, 32)
	a, b := new(big.Int).SetBytes(hash([]byte("a of the example"))), new(big.Int).SetBytes(hash([]byte("b of the example")))
	e.say("account, I", fmt.Sprintf("%q, %q", "Player1", name))
	e.say("password", strconv.Quote(password))
	e.say("group", "2048")
	e.say("Argon2id", "m = 8192 KiB, t = 1, p = 1")
	e.put("salt", salt)
	x := new(big.Int).SetBytes(argon2.IDKey([]byte(name+":"+password), salt, 1, 8192, 1, 32))
	e.put("x", x.FillBytes(make([]byte, 32)))
	v := new(big.Int).Exp(g.g, x, g.n)
	e.put("v", g.pad(v))

	c := begun(t, e, New(Options{}).Open(), "gatepass v1 login")
	e.put("client nonce", clientNonce)
	c.client("SignIn", mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: hello(clientNonce)}}))

	k := number256(g.pad(g.n), g.pad(g.g))
	publicB := new(big.Int).Exp(g.g, b, g.n)
	publicB.Add(publicB, new(big.Int).Mul(k, v)).Mod(publicB, g.n)
	e.put("k", k.FillBytes(make([]byte, 32)))
	e.put("b", b.FillBytes(make([]byte, 32)))
	e.put("B", g.pad(publicB))
	e.put("server nonce", serverNonce)
	c.tells("PasswordChallenge", codec.Reply{Kind: codec.ReplyPasswordChallenge, Native: &codec.NativeReply{Nonce: [32]byte(serverNonce),
		Group: 2048, Salt: [32]byte(salt), Memory: 8192, Passes: 1, Lanes: 1, PublicKey: g.pad(publicB)}})

	publicA := new(big.Int).Exp(g.g, a, g.n)
	u := number256(g.pad(publicA), g.pad(publicB))
	secret := agreed(t, g, a, b, x, u, k)
	key := hash(g.pad(secret))
	m1 := hash(xor(hash(g.pad(g.n)), hash(g.g.Bytes())), hash([]byte(name)), salt, g.pad(publicA), g.pad(publicB), key)
	m2 := hash(g.pad(publicA), m1, key)
	e.put("a", a.FillBytes(make([]byte, 32)))
	e.put("A", g.pad(publicA))
	e.put("u", u.FillBytes(make([]byte, 32)))
	e.put("S", g.pad(secret))
	e.put("K", key)
	e.put("M1", m1)
	m := c.client("PasswordProof", mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_PasswordProof{
		PasswordProof: &pb.PasswordProof{PublicKey: g.pad(publicA), Proof: m1}}}))
	if !bytes.Equal(m.Native.Transcript[:], c.transcript) || !bytes.Equal(m.Native.PublicKey, g.pad(publicA)) || m.Native.Proof != [32]byte(m1) {
		t.Errorf("the session heard another proof, or has another transcript")
	}
	e.put("M2", m2)
	keys = c.draw(append(bytes.Clone(clientNonce), serverNonce...), g.pad(secret))
	c.tells("Accepted", codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{Proof: [32]byte(m2), Keys: keys.channel()}})
	return keys, c.server
}

// agreed computes S on both sides.
func agreed(t testing.TB, g group, a, b, x, u, k *big.Int) *big.Int {
	t.Helper()
	v := new(big.Int).Exp(g.g, x, g.n)
	publicA := new(big.Int).Exp(g.g, a, g.n)
	publicB := new(big.Int).Exp(g.g, b, g.n)
	publicB.Add(publicB, new(big.Int).Mul(k, v)).Mod(publicB, g.n)
	base := new(big.Int).Sub(publicB, new(big.Int).Mul(k, v))
	base.Mod(base, g.n)
	clients := base.Exp(base, new(big.Int).Add(a, new(big.Int).Mul(u, x)), g.n)
	servers := new(big.Int).Exp(v, u, g.n)
	servers.Mul(servers, publicA).Exp(servers, b, g.n)
	if clients.Cmp(servers) != 0 {
		t.Fatal("the two sides have another S")
	}
	return servers
}

// exampleSealed continues after the sign-in by password.
func exampleSealed(t testing.TB, e *example, keys *drawn, s server) {
	body := mustMarshal(t, ping(77))
	e.say("says the client", "Ping{number: 77}, frame 0 to the server")
	e.put("body", body)
	e.put("length, as data", []byte{byte(len(body) + 16), 0, 0, 0})
	e.put("nonce", make([]byte, 12))
	if m := mustDecode(t, s, e.frame("Ping", mustSealFrame(t, keys.toServer, 0, body))); m.Number != 77 {
		t.Errorf("the session heard %+v", m)
	}
	for count, r := range []told{
		{"Welcome", codec.Reply{Kind: codec.ReplyWelcome, Native: &codec.NativeReply{PingEvery: 30000, Remembers: true}},
			&pb.ServerFrame{Body: &pb.ServerFrame_Welcome{Welcome: &pb.Welcome{PingEveryMs: 30000, Remembers: true}}}},
		{"Pong", codec.Reply{Kind: codec.ReplyPong, Number: 77},
			&pb.ServerFrame{Body: &pb.ServerFrame_Pong{Pong: &pb.Pong{Number: 77}}}},
	} {
		want := mustMarshal(t, r.frame)
		e.say("says the server", fmt.Sprintf("%s, frame %d to the client", r.name, count))
		e.put("body", want)
		e.put("nonce", binary.LittleEndian.AppendUint64(make([]byte, 4), uint64(count)))
		if f := e.frame(r.name, mustAppend(t, s, r.reply)); !bytes.Equal(f, mustSealFrame(t, keys.toClient, uint64(count), want)) {
			t.Errorf("%s is sealed in another way", r.name)
		}
	}
}

// exampleToken is a whole sign-in by token.
func exampleToken(t testing.TB, e *example) {
	family, key, secret, next := seq(0xF0, 16), seq(0x01, 32), seq(0x81, 32), seq(0xC1, 32)
	e.put("device", docDevice)
	e.put("family", family)
	e.put("K", key)
	e.put("P", secret)
	e.put("H(P), the server's", hash(secret))
	e.put("P′, stored first", next)
	c := begun(t, e, New(Options{}).Open(), "gatepass v1 login")
	clientNonce, serverNonce := seq(0x30, 32), seq(0x70, 32)
	in := hello(clientNonce)
	in.TokenFamily = family
	e.put("client nonce", clientNonce)
	c.client("SignIn", mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_SignIn{SignIn: in}}))
	e.put("server nonce", serverNonce)
	c.tells("TokenChallenge", codec.Reply{Kind: codec.ReplyTokenChallenge, Native: &codec.NativeReply{Nonce: [32]byte(serverNonce)}})

	salt := append(bytes.Clone(clientNonce), serverNonce...)
	proof := bytes.Join([][]byte{secret, make([]byte, 32), hash(next)}, nil)
	once := mustExpand(t, mustExtract(t, salt, key), []byte("gatepass v1 token proof"))
	before := c.transcript
	sealed := mustSeal(t, once, 0, proof, before)
	e.put("proof", proof)
	e.put("key of the proof", once)
	e.put("sealed", sealed)
	m := c.client("TokenProof", mustMarshal(t, &pb.ClientFrame{Body: &pb.ClientFrame_TokenProof{TokenProof: &pb.TokenProof{Sealed: sealed}}}))
	if m.Native.Transcript != [32]byte(before) || m.Native.After != [32]byte(c.transcript) || m.Native.Sealed != [112]byte(sealed) {
		t.Error("the session heard another proof, or has another transcript")
	}
	keys := c.draw(salt, append(bytes.Clone(key), proof...))
	c.tells("Accepted", codec.Reply{Kind: codec.ReplyAccepted, Native: &codec.NativeReply{Proof: [32]byte(keys.proof), Keys: keys.channel()}})
}

// exampleGate enters world 7 with a pass from the session of the sign-in by password.
func exampleGate(t testing.TB, e *example, session []byte) {
	pass, gateNonce, nonce := seq(0xB0, 16), seq(0x41, 32), seq(0x91, 32)
	e.put("session secret", session)
	e.say("world", strconv.Itoa(testWorld))
	e.put("pass", pass)
	key := mustExpand(t, session, []byte("gatepass v1 pass"), []byte{testWorld}, pass)
	e.put("pass key", key)
	prove := func(who string) []byte {
		mac := hmac.New(sha256.New, key)
		mac.Write(bytes.Join([][]byte{[]byte("gatepass v1 gate " + who), {testWorld}, pass, gateNonce, nonce}, nil))
		return mac.Sum(nil)
	}
	c := begun(t, e, NewGate(testWorld).Open(), "gatepass v1 gate")
	e.put("gate nonce", gateNonce)
	c.tells("GateChallenge", codec.Reply{Kind: codec.ReplyGateChallenge, Native: &codec.NativeReply{Nonce: [32]byte(gateNonce)}})
	e.put("client nonce", nonce)
	e.put("client proof", prove("client"))
	m := c.client("GateHello", mustMarshal(t, &pb.GateClientFrame{Body: &pb.GateClientFrame_Hello{Hello: &pb.GateHello{
		Version: 1, Pass: pass, Nonce: nonce, Proof: prove("client"), Build: 12340}}}))
	if m.Native.Transcript != [32]byte(c.transcript) {
		t.Error("the session has another transcript")
	}
	prk := mustExtract(t, append(bytes.Clone(nonce), gateNonce...), key)
	keys := drawn{toServer: mustExpand(t, prk, []byte("gatepass v1 to server"), c.transcript),
		toClient: mustExpand(t, prk, []byte("gatepass v1 to client"), c.transcript)}
	e.put("PRK", prk)
	e.put("key: to server", keys.toServer)
	e.put("key: to client", keys.toClient)
	e.put("gate proof", prove("server"))
	c.tells("GateAccepted", codec.Reply{Kind: codec.ReplyGateAccepted, Native: &codec.NativeReply{
		Proof: [32]byte(prove("server")), Keys: keys.channel()}})
	e.say("says the gate", "Entered{world: 7}, frame 0 to the client")
	want := mustMarshal(t, &pb.GateServerFrame{Body: &pb.GateServerFrame_Entered{Entered: &pb.Entered{World: testWorld}}})
	if f := e.frame("Entered", mustAppend(t, c.server, codec.Reply{Kind: codec.ReplyEntered, Number: testWorld})); !bytes.Equal(f, mustSealFrame(t, keys.toClient, 0, want)) {
		t.Error("Entered is sealed in another way")
	}
}

func TestDocs_ExamplesAreRight(t *testing.T) {
	var password, sealed, token, gate, window, update example
	keys, s := examplePassword(t, &password)
	exampleSealed(t, &sealed, &keys, s)
	exampleToken(t, &token)
	exampleGate(t, &gate, keys.session)
	exampleWindow(&window)
	exampleUpdate(t, &update)
	examples := map[string]*example{"password": &password, "sealed": &sealed, "token": &token, "gate": &gate, "window": &window, "update": &update}
	for path, text := range mustPages(t) {
		want := fillIn(examples, text)
		if *rewrite {
			if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if want != text {
			t.Errorf("the examples of %s are not what its rules make: go test ./codec/native -run Docs -rewrite, and look at the difference", path)
		}
	}
	for name := range examples {
		t.Errorf("no page of %s has a place for example %s", pages, name)
	}
}

// fillIn returns the page with its examples inserted, and deletes these from examples.
func fillIn(examples map[string]*example, page string) string {
	for name, e := range examples {
		place := regexp.MustCompile(`(?s)(<!-- example: ` + name + ` -->\n).*?(<!-- end of example -->)`)
		if !place.MatchString(page) {
			continue
		}
		page = place.ReplaceAllString(page, "${1}```\n"+e.String()+"```\n${2}")
		delete(examples, name)
	}
	return page
}

func TestDocs_GroupsAreThoseOfRFC5054(t *testing.T) {
	// Checks the beginning of each N against the RFC, and that N is a safe prime.
	for bits, begins := range map[int]string{
		2048: "ac6bdb41324a9a9bf166de5e1389582faf72b6651987ee07fc3192943db56050",
		3072: "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74",
		4096: "ffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd129024e088a67cc74",
	} {
		g := mustGroup(t, bits)
		half := new(big.Int).Rsh(g.n, 1)
		if g.n.BitLen() != bits || !strings.HasPrefix(hex.EncodeToString(g.n.Bytes()), begins) || !g.n.ProbablyPrime(0) || !half.ProbablyPrime(0) {
			t.Errorf("the group of %d bits is none", bits)
		}
	}
}

// Every message of the contract is explained, with its number.
func TestDocs_EveryMessageIsThere(t *testing.T) {
	text := mustAllText(t)
	for _, f := range contractFrames() {
		fields := f.Descriptor().Fields()
		for i := range fields.Len() {
			fd := fields.Get(i)
			row := regexp.MustCompile(fmt.Sprintf(`(?m)^\| %s \|[^|]*\b%s %d\b`, fd.Message().Name(), f.Descriptor().Name(), fd.Number()))
			if !row.MatchString(text) {
				t.Errorf("%s: no row of %s with %s %d", pages, fd.Message().Name(), f.Descriptor().Name(), fd.Number())
			}
		}
	}
	for _, name := range pb.Result_name {
		if short := strings.TrimPrefix(name, "RESULT_"); short != "UNSPECIFIED" && !strings.Contains(text, short+"`") {
			t.Errorf("%s: no %s", pages, name)
		}
	}
}
