package wire

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"gatepass/codec"
)

// MaxPayload bounds one message on the bus, in bytes. The largest message is a snapshot
// of 255 worlds with the longest texts and the most routes: 913 KiB.
const MaxPayload = 1 << 20

// The largest payloads that decoders read, in bytes. A larger payload is refused before
// it is decoded.
const (
	MaxSmall      = 1 << 10   // beats, places, ends: a few short fields
	maxMove       = 2 << 10   // a key and a proof, in text
	MaxRegister   = 3968      // so that a Snapshot of 255 worlds fits
	maxChange     = 5 << 10   // a registration and the values of the last beat
	maxAnnounce   = 64 << 10  // MaxEntries with the longest names
	maxCharacters = 64 << 10  // the same
	maxProgress   = 320 << 10 // MaxEntries with the greatest positions and the longest reasons
	maxOrder      = 4 << 10   // a notice in which every byte is escaped
	maxSnapshot   = MaxPayload
)

// Bounds of the fields of a message.
const (
	// MaxEntries is the largest number of announcements, counts or queue positions that
	// a decoder accepts in one message.
	MaxEntries = 512
	// AnnounceBatch is the largest number of announcements that a sender puts into one
	// message.
	AnnounceBatch = 256
	maxText       = 256 // regions, reasons, addresses, in bytes
)

// Errors of decoders. No error quotes the payload: it may hold a key.
var (
	// ErrSender: the subject of a message does not end with the name of a node.
	ErrSender   = errors.New("bus: the subject names no node")
	errTooLarge = errors.New("bus: payload too large")
	errPayload  = errors.New("bus: payload is not as docs/bus-protocol.md says")
)

// DecodeJSON reads one JSON value of at most limit bytes.
func DecodeJSON(b []byte, limit int, into any) error {
	if len(b) > limit {
		return errTooLarge
	}
	if err := json.Unmarshal(b, into); err != nil {
		// The cause may quote the payload, which may hold a key.
		return errPayload
	}
	return nil
}

// EncodeJSON encodes a value of this program's own types, which always have an encoding.
// It escapes no more than JSON demands, so that a text that was received does not grow
// when it is sent on.
func EncodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("bus: encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// Hex64 is a u64 on the wire: a string of 16 hex digits, because JavaScript's numbers
// have 53 bits only. The strings sort as the numbers do.
type Hex64 uint64

func (h Hex64) MarshalText() ([]byte, error) { return appendHex64(nil, uint64(h)), nil }

func (h *Hex64) UnmarshalText(b []byte) error {
	v, ok := parseHex64(b)
	*h = Hex64(v)
	if !ok {
		return errPayload
	}
	return nil
}

const hexDigits = "0123456789abcdef"

func appendHex64(b []byte, v uint64) []byte {
	for shift := 60; shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&15])
	}
	return b
}

func parseHex64(b []byte) (v uint64, ok bool) {
	if len(b) != 16 {
		return 0, false
	}
	for _, c := range b {
		switch {
		case '0' <= c && c <= '9':
			v = v<<4 | uint64(c-'0')
		case 'a' <= c && c <= 'f':
			v = v<<4 | uint64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return v, true
}

// account is an account's name on the wire.
type account codec.Name

func (a account) MarshalText() ([]byte, error) { return (*codec.Name)(&a).Bytes(), nil }

func (a *account) UnmarshalText(b []byte) error {
	name, ok := parseName(b)
	*a = account(name)
	if !ok {
		return errPayload
	}
	return nil
}

// parseName accepts 1 to 16 printable ASCII characters and turns lower case into upper
// case.
func parseName(b []byte) (codec.Name, bool) {
	name, ok := codec.NameOf(b)
	for i, c := range b {
		switch {
		case !ok || c < ' ' || c > '~':
			return codec.Name{}, false
		case 'a' <= c && c <= 'z':
			name[i] = c - 'a' + 'A'
		}
	}
	return name, ok
}

// nameFits reports whether a name can be sent: it has 1 to 16 printable ASCII
// characters.
func nameFits(n *codec.Name) bool {
	b := n.Bytes()
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}

// The functions below append to a JSON object that is written by hand.

func appendField(b []byte, name string) []byte {
	if b[len(b)-1] != '{' {
		b = append(b, ',')
	}
	b = append(b, '"')
	b = append(b, name...)
	return append(b, '"', ':')
}

func appendName(b []byte, n *codec.Name) []byte {
	b = append(b, '"')
	for _, c := range n.Bytes() {
		if c == '"' || c == '\\' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, '"')
}

func appendHexString(b []byte, v uint64) []byte {
	b = append(b, '"')
	b = appendHex64(b, v)
	return append(b, '"')
}

func appendBytesHex(b, v []byte) []byte {
	b = append(b, '"')
	b = hex.AppendEncode(b, v)
	return append(b, '"')
}

func appendBytesBase64(b, v []byte) []byte {
	b = append(b, '"')
	b = base64.StdEncoding.AppendEncode(b, v)
	return append(b, '"')
}

func appendUint(b []byte, v uint32) []byte { return strconv.AppendUint(b, uint64(v), 10) }

// unhex decodes hex digits into dst. It reports false unless the text fills dst exactly.
func unhex(dst []byte, text string) bool {
	if len(text) != 2*len(dst) {
		return false
	}
	_, err := hex.Decode(dst, []byte(text))
	return err == nil
}
