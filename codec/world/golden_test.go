package world

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"gatepass/codec"
)

// golden is one row of the message files.
type golden struct {
	ID      string   `json:"id"`
	Message string   `json:"message"`
	Eras    []string `json:"client"`
	Hex     hexBytes `json:"hex"`
	Fields  fields   `json:"fields"`
}

// fields has the fields of all messages together.
type fields struct {
	ServerSeed      uint32   `json:"server_seed"`
	Random          hexBytes `json:"random"`
	Result          uint8    `json:"result"`
	BillingTime     *uint32  `json:"billing_time"`
	BillingFlags    uint8    `json:"billing_flags"`
	BillingRested   uint32   `json:"billing_rested"`
	Expansion       uint8    `json:"expansion"`
	Position        uint32   `json:"queue_position"`
	FreeMigration   uint8    `json:"free_migration"`
	Build           uint16   `json:"build"`
	LoginServer     uint32   `json:"server_id"`
	Account         string   `json:"account"`
	ClientSeed      uint32   `json:"client_seed"`
	Digest          hexBytes `json:"digest"`
	AddonSize       uint32   `json:"addon_uncompressed_size"`
	LoginServerType uint32   `json:"login_server_type"`
	Region          uint32   `json:"region_id"`
	Battlegroup     uint32   `json:"battlegroup_id"`
	Realm           uint32   `json:"realm_id"`
	DOSResponse     uint64   `json:"dos_response,string"`
	Given           *struct {
		K          hexBytes
		ServerSeed uint32 `json:"server_seed"`
	} `json:"given"`
}

func seed(n uint32) (s [4]byte) {
	binary.LittleEndian.PutUint32(s[:], n)
	return s
}

// message is the codec of one body in both directions, for values of its own type in an any.
type message struct {
	fromClient bool
	parse      func(body []byte, e Era) (any, error)
	append     func(v any, e Era) ([]byte, error)
}

var messages = map[string]message{
	"SMSG_AUTH_CHALLENGE": {
		parse: func(b []byte, e Era) (any, error) { return boxed(ParseAuthChallenge(b, e)) },
		append: func(v any, e Era) ([]byte, error) {
			c := v.(AuthChallenge)
			return AppendAuthChallenge(nil, e, &c), nil
		},
	},
	"CMSG_AUTH_SESSION": {
		fromClient: true,
		parse:      func(b []byte, e Era) (any, error) { return boxed(ParseAuthSession(b, e)) },
		append:     func(v any, e Era) ([]byte, error) { a := v.(AuthSession); return AppendAuthSession(nil, e, &a) },
	},
	"SMSG_AUTH_RESPONSE": {
		parse:  func(b []byte, e Era) (any, error) { return boxed(ParseAuthResponse(b, e)) },
		append: func(v any, e Era) ([]byte, error) { a := v.(AuthResponse); return AppendAuthResponse(nil, e, &a), nil },
	},
	"SMSG_CHAR_ENUM": {
		parse: func(b []byte, _ Era) (any, error) { return boxed(ParseCharEnum(b)) },
		append: func(v any, _ Era) ([]byte, error) {
			if v.(int) != 0 {
				return nil, errNotWritten
			}
			return AppendEmptyCharEnum(nil), nil
		},
	},
	"CMSG_PING": {
		fromClient: true,
		parse:      func(b []byte, _ Era) (any, error) { return boxed(ParsePing(b)) },
		append:     func(v any, _ Era) ([]byte, error) { return AppendPing(nil, v.(Ping)), nil },
	},
	"SMSG_PONG": {
		parse:  func(b []byte, _ Era) (any, error) { return boxed(ParsePong(b)) },
		append: func(v any, _ Era) ([]byte, error) { return AppendPong(nil, v.(uint32)), nil },
	},
}

func boxed[T any](v T, err error) (any, error) { return v, err }

// want returns the value in a golden row.
func (g *golden) want(t *testing.T, body []byte) any {
	t.Helper()
	f := &g.Fields
	switch g.Message {
	case "SMSG_AUTH_CHALLENGE":
		c := AuthChallenge{Seed: seed(f.ServerSeed)}
		copy(c.Random[:], f.Random)
		return c
	case "SMSG_AUTH_RESPONSE":
		a := AuthResponse{
			Code: f.Result, Billing: f.BillingTime != nil, BillingFlags: f.BillingFlags, BillingRested: f.BillingRested,
			Expansion: f.Expansion, Position: f.Position, FreeMigration: f.FreeMigration,
		}
		if a.Billing {
			a.BillingTime = *f.BillingTime
		}
		return a
	case "CMSG_AUTH_SESSION":
		a := AuthSession{
			LoginServer: f.LoginServer, LoginServerType: f.LoginServerType, Region: f.Region, Battlegroup: f.Battlegroup,
			DOSResponse: f.DOSResponse, AddonSize: f.AddonSize,
		}
		a.Name, _ = codec.NameOf(f.Account)
		a.Build, a.ClientSeed, a.Realm = f.Build, seed(f.ClientSeed), f.Realm
		copy(a.Digest[:], f.Digest)
		// The compressed list is the rest of the body.
		a.Addons = body[bytes.Index(body, f.Digest)+len(f.Digest)+4:]
		return a
	}
	t.Fatalf("%s: no message %q", g.ID, g.Message)
	return nil
}

func goldenRows(t testing.TB) []golden {
	t.Helper()
	rows := append(eachLine[golden](t, "world_login_messages.jsonl"), eachLine[golden](t, "derived_world_login_messages.jsonl")...)
	if len(rows) != 3+12 {
		t.Fatalf("%d golden rows, README.md has 15", len(rows))
	}
	return rows
}

// body returns the packet without its header, and checks the header's size.
func (g *golden) body(t testing.TB, e Era) []byte {
	t.Helper()
	if messages[g.Message].fromClient {
		h, n, err := ParseClientHeader(g.Hex)
		if err != nil || int(h.Size) != len(g.Hex)-2 || h.Opcode != CMSGAuthSession {
			t.Fatalf("%s: %+v, %v", g.ID, h, err)
		}
		return g.Hex[n:]
	}
	h, n, err := ParseServerHeader(g.Hex, e)
	if err != nil || int(h.Size) != len(g.Hex)-2 || h.Opcode != SMSGAuthChallenge && h.Opcode != SMSGAuthResponse {
		t.Fatalf("%s: %+v, %v", g.ID, h, err)
	}
	return g.Hex[n:]
}

func TestGolden_BothWays(t *testing.T) {
	for _, g := range goldenRows(t) {
		for _, name := range g.Eras {
			e := eraNamed[name]
			body := g.body(t, e)
			got, err := messages[g.Message].parse(body, e)
			if want := g.want(t, body); err != nil || !reflect.DeepEqual(got, want) {
				t.Errorf("%s of %v: parsed %+v, %v\nwant %+v", g.ID, e, got, err, want)
				continue
			}
			if again, err := messages[g.Message].append(got, e); err != nil || !bytes.Equal(again, body) {
				t.Errorf("%s of %v: wrote %x, %v\nwant %x", g.ID, e, again, err, body)
			}
		}
	}
}

func TestGolden_DigestsAreRight(t *testing.T) {
	for _, g := range goldenRows(t) {
		if f := &g.Fields; f.Given != nil {
			key := [40]byte(f.Given.K)
			if d := Digest([]byte(f.Account), seed(f.ClientSeed), seed(f.Given.ServerSeed), &key); !bytes.Equal(d[:], f.Digest) {
				t.Errorf("%s: %x", g.ID, d)
			}
		}
	}
}

// Session writes and Client reads the golden packets in the clear, and the other way round.
func TestGolden_ThroughBothHalves(t *testing.T) {
	for _, g := range goldenRows(t) {
		for _, name := range g.Eras {
			if e := eraNamed[name]; messages[g.Message].fromClient {
				checkFromClient(t, &g, e)
			} else if p := mustReceive(t, mustClient(t, e), g.Hex); !bytes.Equal(p.Body, g.body(t, e)) {
				t.Errorf("%s of %v: %+v", g.ID, e, p)
			}
		}
	}
}

func checkFromClient(t *testing.T, g *golden, e Era) {
	t.Helper()
	a := g.want(t, g.body(t, e)).(AuthSession)
	m := mustDecode(t, mustCodec(t, e).Open(), g.Hex)
	if m.Kind != codec.KindWorldAuth || !reflect.DeepEqual(*m.World, codec.WorldMessage{Auth: a.WorldAuth}) {
		t.Errorf("%s: %v %+v", g.ID, m.Kind, m.World)
	}
	if b := mustAuthSession(t, mustClient(t, e), &a); !bytes.Equal(b, g.Hex) {
		t.Errorf("%s written as %x\nwant %x", g.ID, b, g.Hex)
	}
	for n := range g.Hex {
		var m codec.Message
		s := mustCodec(t, e).Open()
		if consumed, err := s.Decode(g.Hex[:n:n], &m); err != codec.ErrShort || consumed != 0 || m != (codec.Message{}) {
			t.Errorf("%s, %d of %d bytes: consumed %d, %v", g.ID, n, len(g.Hex), consumed, err)
		}
		// With the rest it is complete, whatever was read before.
		if consumed, err := s.Decode(g.Hex, &m); err != nil || consumed != len(g.Hex) {
			t.Errorf("%s after %d bytes: consumed %d, %v", g.ID, n, consumed, err)
		}
	}
}

// A body must be complete: no proper prefix of it is the same message, and nothing may follow
// it.
func TestParse_BodiesFitExactly(t *testing.T) {
	for _, e := range eras {
		session, err := AppendAuthSession(nil, e, testAuth(e))
		if err != nil {
			t.Fatal(err)
		}
		upToDigest := len(session) - 8
		cases := map[string][]byte{
			"SMSG_AUTH_CHALLENGE": AppendAuthChallenge(nil, e, &AuthChallenge{}),
			"CMSG_AUTH_SESSION":   session[:upToDigest],
			"CMSG_PING":           AppendPing(nil, Ping{1, 2}),
			"SMSG_PONG":           AppendPong(nil, 1),
			"SMSG_CHAR_ENUM":      AppendEmptyCharEnum(nil),
		}
		for name, body := range cases {
			if _, err := messages[name].parse(body, e); err != nil {
				t.Errorf("%v %s: %v", e, name, err)
			}
			if _, err := messages[name].parse(append(bytes.Clone(body), 1), e); !isViolation(err) {
				t.Errorf("%v %s with a byte more: %v", e, name, err)
			}
			for n := range body {
				if _, err := messages[name].parse(body[:n:n], e); !isViolation(err) {
					t.Errorf("%v %s, %d of %d bytes: %v", e, name, n, len(body), err)
				}
			}
		}
	}
}

// The length of an auth response distinguishes its forms.
func TestParseAuthResponse_Lengths(t *testing.T) {
	forms := map[Era]map[uint8][]int{
		Era112: {CodeOK: {1, 10}, CodeWaitQueue: {5, 14}, CodeFailed: {1}},
		Era243: {CodeOK: {1, 11}, CodeWaitQueue: {5, 15}, CodeFailed: {1}},
		Era335: {CodeOK: {1, 11}, CodeWaitQueue: {6, 16}, CodeFailed: {1}},
	}
	for e, byCode := range forms {
		for code, lengths := range byCode {
			good := map[int]bool{}
			for _, n := range lengths {
				good[n] = true
			}
			for n := range 20 {
				body := make([]byte, n)
				if n > 0 {
					body[0] = code
				}
				if _, err := ParseAuthResponse(body, e); (err == nil) != good[n] || err != nil && !isViolation(err) {
					t.Errorf("%v, code %#x, %d bytes: %v", e, code, n, err)
				}
			}
		}
	}
}

func isViolation(err error) bool {
	_, ok := err.(*codec.Violation)
	return ok
}
