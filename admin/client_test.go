package admin

import (
	"bufio"
	"bytes"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"testing"

	"gatepass/accounts"
	"gatepass/storage"
)

func TestClient_EveryOperation(t *testing.T) {
	m := through(t, newTestManager(t))
	ctx := t.Context()
	prefix, err := accounts.ParsePrefix("2001:db8::/32")
	if err != nil {
		t.Fatal(err)
	}
	var secret *accounts.TOTPSecret
	forever := accounts.Sentence{Forever: true, Reason: "r"}
	steps := []struct {
		name string
		do   func() error
		want error
	}{
		{"add", func() error { return m.Add(ctx, "alice", "one") }, nil},
		{"add again", func() error { return m.Add(ctx, "alice", "one") }, storage.ErrExists},
		{"passwd", func() error { return m.SetPassword(ctx, "alice", "two") }, nil},
		{"PIN", func() error { _, err := m.SetPIN(ctx, "alice", "0123"); return err }, nil},
		{"token", func() (err error) { secret, _, err = m.SetTOTP(ctx, "alice"); return err }, nil},
		{"token of nobody", func() error { _, _, err := m.SetTOTP(ctx, "nobody"); return err }, storage.ErrNotFound},
		{"ban", func() error { return m.Ban(ctx, "alice", forever) }, nil},
		{"ban nobody", func() error { return m.Ban(ctx, "nobody", accounts.Sentence{Forever: true}) }, storage.ErrNotFound},
		{"ban address", func() error { return m.BanAddress(ctx, prefix, forever) }, nil},
	}
	for _, step := range steps {
		if err := step.do(); !errors.Is(err, step.want) {
			t.Errorf("%s: %v, want %v", step.name, err, step.want)
		}
	}
	a := mustShow(t, m, "alice")
	if !opens(a, "two") || !a.Ban.Set || a.Ban.Reason != "r" || a.Created != testTime {
		t.Errorf("account %+v", a)
	}
	if a.PIN != "0123" || base32.StdEncoding.EncodeToString(a.TOTPSecret) != secret.Base32() {
		t.Error("the factors are not as they were set")
	}
	if bans, err := m.AddressBans(ctx); err != nil || len(bans) != 1 || bans[0].Prefix != prefix || bans[0].Ban.Reason != "r" {
		t.Errorf("address bans %v, %v", bans, err)
	}
	for name, err := range map[string]error{
		"unban": m.Unban(ctx, "alice"), "unban address": m.UnbanAddress(ctx, prefix), "delete": m.Delete(ctx, "alice"),
	} {
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := m.UnbanAddress(ctx, prefix); !errors.Is(err, storage.ErrNotBanned) {
		t.Errorf("second unban of an address: %v", err)
	}
	if _, err := m.Show(ctx, "alice"); !errors.Is(err, storage.ErrNotFound) {
		t.Errorf("show after delete: %v", err)
	}
}

// batchRows is how many rows an import stores at once.
const batchRows = 1024

func TestClient_ImportAndExportAreTheSameAsLocal(t *testing.T) {
	server := newTestManager(t)
	m := through(t, server)
	var text strings.Builder
	text.WriteString("username,password\n")
	for i := range 3 * batchRows / 2 {
		fmt.Fprintf(&text, "P%d,x\n", i)
	}
	report, bad := mustImport(t, m, text.String())
	if report.Added != 3*batchRows/2 || bad != nil {
		t.Errorf("%+v, %v", report, bad)
	}
	for _, format := range []accounts.Format{accounts.FormatCSV, accounts.FormatNDJSON} {
		o := accounts.ExportOptions{Format: format}
		if mustExport(t, m, o) != mustExport(t, server, o) {
			t.Errorf("format %d: the export differs from the server's", format)
		}
	}
}

func TestClient_SplitsRequestsThatAreTooLarge(t *testing.T) {
	client := mustDial(t, startControl(t, newTestManager(t), SocketPath(t.TempDir())).path)
	big := make([]byte, storage.MaxOther)
	ops := make([]storage.Op, 300)
	for i := range ops {
		name := nameOf(t, fmt.Sprintf("P%04d", i))
		ops[i] = storage.Op{Kind: storage.OpCreate, Name: name, Tag: uint64(i), Account: &storage.Account{Name: name, Others: map[string][]byte{"later": big}}}
	}
	results, err := client.Do(t.Context(), ops...)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range results {
		if r.Err != nil || r.Name != ops[i].Name || r.Tag != uint64(i) {
			t.Fatalf("result %d: %v of %s", i, r.Err, r.Name)
		}
	}
	// A page of such accounts is cut short by the server and goes on.
	count := 0
	for _, err := range accounts.New(client, testOptions()).All(t.Context(), storage.Name{}) {
		if err != nil {
			t.Fatal(err)
		}
		count++
	}
	if count != len(ops) {
		t.Errorf("listed %d accounts of %d", count, len(ops))
	}
}

// talker is a server that answers every request on a connection with the next text, then
// ends.
func talker(t *testing.T, texts ...string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "s")
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		defer conn.Close()
		r := bufio.NewReader(conn)
		for _, text := range texts {
			for line := ""; err == nil && line != "\r\n"; {
				line, err = r.ReadString('\n')
			}
			io.WriteString(conn, text)
		}
	}()
	return path
}

func reply(status, body string) string {
	return fmt.Sprintf("HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s", status, len(body), body)
}

func TestClient_ServerThatTalksNonsense(t *testing.T) {
	for text, want := range map[string]error{
		"":                                                  ErrDisconnected,
		"HTTP/1.1 200 OK\r\nContent-Le":                     ErrDisconnected,
		"hello\n":                                           ErrProtocol,
		reply("200 OK", "hello\n"):                          ErrProtocol,
		reply("200 OK", `{"username":"`):                    ErrDisconnected,
		reply("200 OK", `{"username":1}`):                   ErrProtocol,
		reply("500 No", ""):                                 ErrProtocol,
		reply("500 No", `{"username":"A"}`):                 ErrProtocol,
		reply("200 OK", `{"username":"a:b"}`):               storage.ErrName,
		reply("500 No", `{"error":"failed"}`):               storage.ErrFailed,
		reply("200 OK", `{"error":"failed"}`):               storage.ErrFailed,
		reply("400 No", `{"error":"new word"}`):             ErrProtocol,
		reply("500 No", `{"error":"new word"}`):             ErrProtocol,
		strings.Replace(reply("200 OK", "{}"), "2", "9", 1): ErrProtocol,
	} {
		client, err := Dial(t.Context(), talker(t, reply("200 OK", ""), text))
		if err != nil {
			t.Fatal(err)
		}
		results, err := client.Do(t.Context(), storage.Op{Kind: storage.OpGet, Name: storage.Name{'A'}})
		if err == nil {
			err = results[0].Err
		}
		if !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		client.Close()
	}
	for text, want := range map[string]error{
		reply("200 OK", ""): ErrProtocol, reply("200 OK", `{"item":1}`): ErrProtocol,
		reply("200 OK", `{"item":0}`): ErrProtocol, reply("200 OK", `{"item":0}{"item":1}{"item":2}`): ErrProtocol,
		reply("200 OK", `{"item":0,"results":[{"username":1}]}`): ErrProtocol,
		reply("200 OK", `{"item":0}{"error":"closing"}`):         ErrServerClosing,
	} {
		client, err := Dial(t.Context(), talker(t, reply("200 OK", ""), text))
		if err != nil {
			t.Fatal(err)
		}
		get := storage.Op{Kind: storage.OpGet, Name: storage.Name{'A'}}
		if _, err := client.Do(t.Context(), get, get); !errors.Is(err, want) {
			t.Errorf("batch, %q: %v, want %v", text, err, want)
		}
		client.Close()
	}
}

// A server that is older than this protocol answers in lines of its own, or not at all.
func TestDial_OlderServer(t *testing.T) {
	for text, want := range map[string]error{
		`{"v":2,"id":0,"error":"protocol"}` + "\n": ErrProtocol, "": ErrDisconnected, reply("404 Not Found", "no such page"): ErrProtocol,
	} {
		if _, err := Dial(t.Context(), talker(t, text)); !errors.Is(err, want) {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
	}
	if !bytes.Contains([]byte(ErrProtocol.Error()), []byte("of one version")) {
		t.Error("the error does not say what is wrong")
	}
}
