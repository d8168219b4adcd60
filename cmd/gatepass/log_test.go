package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/storage"
	"gatepass/worlds"
)

// What an operator would search for, of every type that there is in the log.
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

// With json there is one stream of objects, whichever way a start or an end goes.
func TestRun_EndsInJSON(t *testing.T) {
	for what, args := range map[string][]string{
		"a fault of the configuration": {"dev", "--log.format", "json", "--grunt", "nowhere"},
		"a fault of the start":         {"dev", "--log.format", "json", "--data", "/dev/null/x", "--admin", "127.0.0.1:0"},
	} {
		var out, errOut bytes.Buffer
		if code := run(args, strings.NewReader(""), &out, &errOut); code == 0 {
			t.Errorf("%s: it went well", what)
		}
		var last struct{ Level, Msg, Error string }
		for line := range strings.Lines(out.String() + errOut.String()) {
			if err := json.Unmarshal([]byte(line), &last); err != nil {
				t.Errorf("%s: %q: %v", what, line, err)
			}
		}
		if last.Msg != "gatepass ends" || last.Level != "ERROR" || last.Error == "" {
			t.Errorf("%s: its end is %+v", what, last)
		}
	}
}

func TestIsReady(t *testing.T) {
	for line, want := range map[string]bool{
		"ready grunt=127.0.0.1:1": true, `{"time":"x","level":"INFO","msg":"ready","admin":"y"}`: true,
		"draining": false, `{"msg":"already"}`: false, "": false,
	} {
		if isReady([]byte(line)) != want {
			t.Errorf("%q", line)
		}
	}
}
