package world

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestDeriveKey_Vectors(t *testing.T) {
	for i, r := range mustReadTSV(t, "header_key_2_4_3.tsv", 516) {
		if got := deriveKey(seed243, r.key(t)); !bytes.Equal(got[:], r.hex(t, "key")) {
			t.Errorf("2.4.3, row %d: %x", i, got)
		}
	}
	for i, r := range mustReadTSV(t, "header_key_3_3_5.tsv", 512) {
		if got := deriveKey(string(r.hex(t, "hmac_key")), r.key(t)); !bytes.Equal(got[:], r.hex(t, "rc4_key")) {
			t.Errorf("3.3.5, row %d: %x", i, got)
		}
	}
}

// checkStream runs data through a fresh cipher.
func checkStream(t *testing.T, fresh Cipher, run func(*Cipher, []byte), data, want []byte) {
	t.Helper()
	b := bytes.Clone(data)
	if run(&fresh, b); !bytes.Equal(b, want) {
		t.Errorf("got %x, want %x", b, want)
	}
}

func TestCipher_Stream_112(t *testing.T) {
	for _, r := range mustReadTSV(t, "header_stream_1_12.tsv", 496) {
		for _, d := range []Direction{ToServer, ToClient} {
			checkStream(t, NewCipher(Era112, d, r.key(t)), (*Cipher).Encrypt, r.hex(t, "data"), r.hex(t, "encrypted"))
			checkStream(t, NewCipher(Era112, d, r.key(t)), (*Cipher).Decrypt, r.hex(t, "data"), r.hex(t, "decrypted"))
		}
	}
}

func TestCipher_Stream_243(t *testing.T) {
	for _, r := range mustReadTSV(t, "header_stream_2_4_3.tsv", 485) {
		for _, d := range []Direction{ToServer, ToClient} {
			checkStream(t, NewCipher(Era243, d, r.key(t)), (*Cipher).Encrypt, r.hex(t, "data"), r.hex(t, "encrypted"))
			checkStream(t, NewCipher(Era243, d, r.key(t)), (*Cipher).Decrypt, r.hex(t, "encrypted"), r.hex(t, "data"))
		}
	}
}

func TestCipher_Stream_335(t *testing.T) {
	columns := map[Direction]string{ToServer: "client_to_server", ToClient: "server_to_client"}
	for _, r := range mustReadTSV(t, "header_stream_3_3_5.tsv", 501) {
		for d, column := range columns {
			checkStream(t, NewCipher(Era335, d, r.key(t)), (*Cipher).Encrypt, r.hex(t, "data"), r.hex(t, column))
			checkStream(t, NewCipher(Era335, d, r.key(t)), (*Cipher).Decrypt, r.hex(t, column), r.hex(t, "data"))
		}
	}
}

// The note in the header_parse files has the session key of all rows.
const parseKey = "2efee7b0c177ebbdff6676c56efc2339be9cad14bf8b54bb5a86fbf81f6d424aa23cc9a3149fb175"

func TestHeader_Parse_Vectors(t *testing.T) {
	for _, f := range []struct {
		name string
		rows int
		era  Era
	}{
		{"header_parse_1_12.tsv", 499, Era112}, {"header_parse_2_4_3.tsv", 483, Era243}, {"header_parse_3_3_5.tsv", 502, Era335},
	} {
		key := row{"K": parseKey}.key(t)
		for _, r := range mustReadTSV(t, f.name, f.rows) {
			switch r["side"] {
			case "client":
				checkClientHeader(t, NewCipher(f.era, ToServer, key), r)
			case "server":
				checkServerHeader(t, f.era, NewCipher(f.era, ToClient, key), r)
			default:
				t.Fatalf("side %q", r["side"])
			}
		}
	}
}

func checkClientHeader(t *testing.T, decrypts Cipher, r row) {
	t.Helper()
	wire := r.hex(t, "wire")
	want := ClientHeader{Size: uint16(r.number(t, "size")), Opcode: r.number(t, "opcode")}
	plain := bytes.Clone(wire)
	decrypts.Decrypt(plain)
	h, n, err := ParseClientHeader(plain)
	if err != nil || n != len(wire) || h != want || !bytes.Equal(want.Append(nil), plain) {
		t.Errorf("%x: %+v, %d, %v, want %+v", wire, h, n, err, want)
	}
}

func checkServerHeader(t *testing.T, e Era, decrypts Cipher, r row) {
	t.Helper()
	wire := r.hex(t, "wire")
	want := ServerHeader{Size: r.number(t, "size"), Opcode: uint16(r.number(t, "opcode"))}
	plain := bytes.Clone(wire)
	decrypts.Decrypt(plain)
	for n := range plain {
		if _, _, err := ParseServerHeader(plain[:n], e); err == nil {
			t.Errorf("%x is whole", plain[:n])
		}
	}
	h, n, err := ParseServerHeader(plain, e)
	if err != nil || n != len(wire) || h != want {
		t.Errorf("%v %x: %+v, %d, %v, want %+v", e, wire, h, n, err, want)
	}
	// A random size may be written in three bytes though two are enough.
	if short := e == Era335 && n == longServerHeaderLen && h.Size <= maxShortSize; !short && !bytes.Equal(want.Append(nil, e), plain) {
		t.Errorf("%v %+v written as %x, want %x", e, want, want.Append(nil, e), plain)
	}
}

// namedCase is one line of named_cases.jsonl.
type namedCase struct {
	ID, Kind string
	Given    struct {
		User       string
		Client     string
		K          hexBytes
		Data       hexBytes
		ClientSeed uint32 `json:"client_seed"`
		ServerSeed uint32 `json:"server_seed"`
	}
	Expect struct {
		Digest    hexBytes
		Encrypted hexBytes
		Decrypted hexBytes
		Server    []namedHeader `json:"server_headers"`
		Client    []namedHeader `json:"client_headers"`
	}
}

type namedHeader struct {
	Size, Opcode uint32
	Wire         hexBytes
}

func namedCases(t *testing.T, kind string, count int) (cases []namedCase) {
	t.Helper()
	for _, c := range eachLine[namedCase](t, "named_cases.jsonl") {
		if c.Kind == kind {
			cases = append(cases, c)
		}
	}
	if len(cases) != count {
		t.Fatalf("%d cases of %s, want %d", len(cases), kind, count)
	}
	return cases
}

// Consecutive headers of real clients.
func TestCipher_SequencesOfRealClients(t *testing.T) {
	for _, c := range namedCases(t, "header_sequence", 2) {
		e, key := eraNamed[c.Given.Client], [40]byte(c.Given.K)
		recv, send := NewCipher(e, ToServer, &key), NewCipher(e, ToClient, &key)
		for i, h := range c.Expect.Client {
			plain := bytes.Clone(h.Wire)
			recv.Decrypt(plain)
			want := ClientHeader{Size: uint16(h.Size), Opcode: h.Opcode}.Append(nil)
			if !bytes.Equal(plain, want) {
				t.Errorf("%s, client's header %d: %x, want %x", c.ID, i, plain, want)
			}
		}
		for i, h := range c.Expect.Server {
			b := ServerHeader{Size: h.Size, Opcode: uint16(h.Opcode)}.Append(nil, e)
			send.Encrypt(b)
			if !bytes.Equal(b, h.Wire) {
				t.Errorf("%s, server's header %d: %x, want %x", c.ID, i, b, h.Wire)
			}
		}
	}
}

// Quirk 70: the directions are independent, and the split of a stream does not matter.
func TestCipher_InTurns(t *testing.T) {
	for _, c := range namedCases(t, "header_stream", 1) {
		key := [40]byte(c.Given.K)
		out, in := bytes.Clone(c.Given.Data), bytes.Clone(c.Given.Data)
		send, recv := NewCipher(Era112, ToClient, &key), NewCipher(Era112, ToServer, &key)
		for i := 0; i < len(out); i += 10 {
			send.Encrypt(out[i : i+10])
			recv.Decrypt(in[i : i+10])
		}
		if !bytes.Equal(out, c.Expect.Encrypted) || !bytes.Equal(in, c.Expect.Decrypted) {
			t.Errorf("%x, %x", out, in)
		}
	}
}

func TestCipher_CutAnywhere(t *testing.T) {
	data := bytes.Repeat([]byte{0, 1, 0xff, 0x37, 0x80}, 50)
	for _, e := range eras {
		whole, cut := bytes.Clone(data), bytes.Clone(data)
		one, two := NewCipher(e, ToServer, &testKey), NewCipher(e, ToServer, &testKey)
		one.Encrypt(whole)
		for i := range cut {
			two.Encrypt(cut[i : i+1])
		}
		if !bytes.Equal(whole, cut) || bytes.Equal(whole, data) {
			t.Errorf("%v: %x\n%x", e, whole, cut)
		}
	}
}

func TestNewCipher_PanicsWithoutAnEra(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("a cipher of no era")
		}
	}()
	NewCipher(0, ToServer, &testKey)
}

func TestSecrets_AreNotShown(t *testing.T) {
	var key [40]byte
	for i := range key {
		key[i] = 0xa7
	}
	s := mustCodec(t, Era112).Open()
	s.becomeOpen(&key)
	c := mustClient(t, Era112)
	if _, err := c.AppendAuthSession(nil, testAuth(Era112), &key); err != nil {
		t.Fatal(err)
	}
	for _, v := range []any{s, c, s.recv, &s.recv} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
			text := strings.ToLower(fmt.Sprintf(verb, v))
			if strings.Contains(text, "a7a7") || strings.Contains(text, "167") || strings.Contains(text, "0xa7") {
				t.Errorf("%T with %s: %s", v, verb, text)
			}
		}
	}
}
