package main

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"gatepass/cmd/gatepass/internal/config"
	"gatepass/storage"
)

// remember is a command of the scripts: it makes an account of a data folder
// remember a device, as a native sign-in does.
//
//	remember FOLDER ACCOUNT FAMILY NAME EXPIRES-IN
func remember() {
	if err := rememberDevice(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func rememberDevice(args []string) (err error) {
	account, err := storage.FoldName(args[1])
	if err != nil {
		return err
	}
	d := storage.Device{Name: args[3], Created: 1_700_000_000, LastUsed: time.Now().Unix(), LastAddr: netip.MustParseAddr("192.0.2.7")}
	if _, err := hex.Decode(d.Family[:], []byte(args[2])); err != nil {
		return err
	}
	d.ID = d.Family
	for i := range d.Key {
		d.Key[i], d.Verifier[i] = 0xee, 0xdd
	}
	span, err := time.ParseDuration(args[4])
	if err != nil {
		return err
	}
	d.Expires = time.Now().Add(span).Unix()
	c, err := storage.OpenClient(config.AccountEngine(args[0], 0), storage.OpenOptions{})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	results, err := c.Do(context.Background(), storage.Op{Kind: storage.OpGet, Name: account})
	if err == nil {
		err = results[0].Err
	}
	if err != nil {
		return err
	}
	add := storage.Op{Kind: storage.OpAddDevice, Name: account, Device: &d, Proven: results[0].Account.Credentials()}
	if results, err = c.Do(context.Background(), add); err == nil {
		err = results[0].Err
	}
	return err
}

// What a player calls a device does nothing to the operator's terminal.
func TestPrintDevices_NamesAreText(t *testing.T) {
	for name, want := range map[string]string{
		"": "(no name)", "Ana's laptop": "Ana's laptop", "Žana 端末": "Žana 端末", "a\x1b[2Jb\nc": "a?[2Jb?c", "a\u202eb": "a?b", "a\xffb": "a\ufffdb",
	} {
		var out bytes.Buffer
		if err := printDevices(&out, []storage.Device{{Name: name}}, deviceView{}); err != nil {
			t.Fatal(err)
		}
		if lines := strings.Split(out.String(), "\n"); len(lines) != 3 || !strings.HasSuffix(lines[1], "  "+want) {
			t.Errorf("%q: %q", name, out.String())
		}
	}
}

func TestLeftText(t *testing.T) {
	for _, c := range []struct {
		took            time.Duration
		position, total int64
		want            string
	}{
		{time.Minute, 25, 100, ", about 3m0s left"}, {time.Minute, 0, 100, ""}, {time.Minute, 100, 100, ""}, {time.Second, 1, 3600, ", about 59m59s left"},
	} {
		if got := leftText(c.took, c.position, c.total); got != c.want {
			t.Errorf("%+v: %q", c, got)
		}
	}
}
