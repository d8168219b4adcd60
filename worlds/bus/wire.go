package bus

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

// The largest payloads that are looked at, in bytes. What is larger is refused
// before it is decoded.
const (
	maxSmall      = 1 << 10   // beats, places, ends: a few short fields
	maxMove       = 2 << 10   // a key and a proof, in text
	maxRegister   = 3968      // so that a Snapshot of 255 worlds fits
	maxChange     = 5 << 10   // a registration and what the last beat said
	maxAnnounce   = 64 << 10  // maxEntries with the longest names
	maxCharacters = 64 << 10  // the same
	maxProgress   = 320 << 10 // maxEntries with the greatest positions and the longest reasons
	maxOrder      = 4 << 10   // a notice of which every byte is escaped
	maxSnapshot   = 1 << 20   // NATS's own bound
	maxEntries    = 512       // announcements or counts in one message
	maxBuilds     = 64        // client builds that a world names
	maxText       = 256       // other texts: regions, reasons, addresses
)

// Errors of decoders. What a payload said is in none of them.
var (
	errTooLarge = errors.New("bus: payload too large")
	errPayload  = errors.New("bus: payload is not as docs/bus.md says")
)

// decodeJSON reads one JSON value of at most limit bytes.
func decodeJSON(b []byte, limit int, into any) error {
	if len(b) > limit {
		return errTooLarge
	}
	if err := json.Unmarshal(b, into); err != nil {
		// The cause may quote the payload, and with it a key.
		return errPayload
	}
	return nil
}

// encodeJSON is for values of ours, that always have an encoding. Only what has to be
// is escaped, so that what was read is not longer when it is passed on.
func encodeJSON(v any) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(fmt.Sprintf("bus: encode %T: %v", v, err))
	}
	return bytes.TrimSuffix(b.Bytes(), []byte{'\n'})
}

// hex64 is a u64 on the wire: 16 hex digits in a string, for JavaScript's
// numbers have 53 bits. As strings they order as the numbers do.
type hex64 uint64

func (h hex64) MarshalText() ([]byte, error) { return appendHex64(nil, uint64(h)), nil }

func (h *hex64) UnmarshalText(b []byte) error {
	v, ok := parseHex64(b)
	*h = hex64(v)
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

// parseName takes 1 to 16 printable ASCII characters and folds their case.
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

// nameFits tells whether a name can be sent.
func nameFits(n *codec.Name) bool {
	b := n.Bytes()
	for _, c := range b {
		if c < ' ' || c > '~' {
			return false
		}
	}
	return len(b) > 0
}

// The rest appends fields to a JSON object that is written by hand.

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

// unhex fills dst; the text must have exactly that many bytes.
func unhex(dst []byte, text string) bool {
	if len(text) != 2*len(dst) {
		return false
	}
	_, err := hex.Decode(dst, []byte(text))
	return err == nil
}
