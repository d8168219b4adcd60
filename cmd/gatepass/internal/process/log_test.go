package process

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// A value of every type in the log becomes the text that an operator would search for.
func TestSearchable(t *testing.T) {
	name, err := storage.FoldName("zaphod")
	if err != nil {
		t.Fatal(err)
	}
	wire, _ := codec.NameOf("ZAPHOD")
	var nobody *worlds.Version
	for what, c := range map[string]struct{ value, want any }{
		"name":                 {name, "ZAPHOD"},
		"name on the wire":     {wire, "ZAPHOD"},
		"names":                {[]storage.Name{name}, []any{"ZAPHOD"}},
		"result":               {codec.ResultBanned, codec.ResultBanned.String()},
		"operation":            {storage.OpLogin, "login"},
		"kind":                 {worlds.KindPlain, "normal"},
		"span":                 {1500 * time.Millisecond, "1.5s"},
		"spans":                {[]time.Duration{time.Second}, []any{"1s"}},
		"address":              {netip.MustParseAddr("192.0.2.1"), "192.0.2.1"},
		"address and port":     {netip.MustParseAddrPort("192.0.2.1:1"), "192.0.2.1:1"},
		"networks":             {[]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, []any{"10.0.0.0/8"}},
		"error":                {fmt.Errorf("not read: %w", errors.New("no room")), "not read: no room"},
		"errors":               {[]error{errors.New("a"), nil}, []any{"a", nil}},
		"bytes":                {[]byte{0xBE, 0xEF}, "beef"},
		"array of bytes":       {[2]byte{1, 2}, "0102"},
		"secret":               {worlds.Secret{}, "[secret]"},
		"nothing":              {nil, nil},
		"nobody":               {nobody, nil},
		"structure":            {struct{ A int }{7}, "{A:7}"},
		"pointer to structure": {&struct{ A int }{7}, "{A:7}"},
		"builds":               {[]uint16{5875}, []any{5875.0}},
		"number":               {7, 7.0},
		"truth":                {true, true},
		"text":                 {"a b", "a b"},
	} {
		var out bytes.Buffer
		slog.New(jsonLines(&out, slog.LevelInfo)).Info("x", slog.Group("in", "v", c.value))
		var line struct {
			Level, Msg string
			In         struct{ V any }
		}
		if err := json.Unmarshal(out.Bytes(), &line); err != nil || line.Level != "INFO" || !reflect.DeepEqual(line.In.V, c.want) {
			t.Errorf("%s: %v, %s, want %v", what, err, out.String(), c.want)
		}
	}
}
