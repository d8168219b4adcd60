package client

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unicode"

	"gatepass/client"
	"gatepass/codec"
)

func TestEventPrinter_OneLineForEachEvent(t *testing.T) {
	pass := &client.Pass{World: 3, Address: "g.example:9000", Expires: time.Unix(1_700_000_000, 0)}
	full := &client.SelectError{World: 3, Reason: codec.SelectFull, Alternatives: []uint8{1, 2}}
	for _, c := range []struct {
		news any
		want string
	}{
		{signedInNews{"ANA"}, `{"event":"signed-in","account":"ANA"}`},
		{askingNews{3}, `{"event":"asking","world":3}`},
		{passNews{pass}, `{"event":"pass","address":"g.example:9000","expires":"2023-11-14T22:13:20Z","world":3}`},
		{enteringNews{3}, `{"event":"entering","world":3}`},
		{client.QueuePosition{World: 3, Position: 12}, `{"event":"queue","position":12,"world":3}`},
		{enteredNews{3}, `{"event":"entered","world":3}`},
		{leftNews{3, client.ErrKicked}, `{"event":"left","reason":"kicked","text":"an operator has sent you away","world":3}`},
		{releasedNews{}, `{"event":"released"}`},
		{refusedNews{deedSelect, 3, full}, `{"event":"error","alternatives":[1,2],"command":"select","reason":"full","text":"the world's queue is full, or it lets nobody in any more","world":3}`},
		{refusedNews{deedEnter, 0, errNoPass}, `{"event":"error","command":"enter","reason":"failed","text":"no world is picked; select one first"}`},
		{refusedNews{0, 0, errNoWish}, `{"event":"error","command":"unknown","reason":"failed","text":"no code is wanted"}`},
		{notRememberedNews{client.ErrNoTokens}, `{"event":"not-remembered","reason":"failed","text":"this server remembers no devices"}`},
		{forgottenNews{true}, `{"event":"forgotten","remembered":true}`},
		{codeNews{client.FactorPIN}, `{"event":"code-wanted","factor":"PIN"}`},
		{client.Notice{Text: "noon\x1b[2J"}, `{"event":"notice","text":"noon\u001b[2J"}`},
		{client.PassExpired{World: 3}, `{"event":"pass-expired","world":3}`},
		{client.GoingAway{After: 1500 * time.Millisecond}, `{"event":"going-away","after_seconds":1.5}`},
		{client.Kicked{Reason: client.ErrReplaced}, `{"event":"kicked","reason":"replaced","text":"the account has signed in from somewhere else"}`},
		{client.Disconnected{Reason: io.EOF, Retry: 2_603_400 * time.Microsecond}, `{"event":"reconnecting","held":false,"reason":"lost","retry_seconds":2.603,"text":"the connection was lost"}`},
		{client.Reconnected{}, `{"event":"reconnected"}`},
		{tick{}, ``},
	} {
		var out bytes.Buffer
		if err := newEventPrinter(&out, 1).tell(c.news); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(out.String(), "\n"); got != c.want {
			t.Errorf("%T\n got %s\nwant %s", c.news, got, c.want)
		}
	}
}

// Characters that control a terminal or reverse its text are escaped. A JSON reader
// gets them back unchanged.
func TestEventPrinter_EscapesWhatDoesNotPrint(t *testing.T) {
	var out bytes.Buffer
	e := newEventPrinter(&out, 1)
	name := "A\u009b2J\u202eB\u200f\u2066\u007f\u00ad\U000e0041\u2028ä世\U0001f600"
	if err := e.tell(client.Notice{Text: name}); err != nil {
		t.Fatal(err)
	}
	if err := e.tell(worldsNews{list: []client.World{{ID: 1, Name: name, Address: name}}}); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		for _, r := range strings.TrimSuffix(line, "\n") {
			if !unicode.IsPrint(r) {
				t.Errorf("%U in %q", r, line)
			}
		}
		var got struct {
			Text   string
			Worlds []struct{ Name, Address string }
		}
		if err := json.Unmarshal([]byte(line), &got); err != nil {
			t.Fatal(err)
		}
		if got.Text != name && (len(got.Worlds) != 1 || got.Worlds[0].Name != name || got.Worlds[0].Address != name) {
			t.Errorf("got %+q", got)
		}
	}
	if want := `A\u009b2J\u202eB\u200f\u2066\u007f\u00ad\udb40\udc41\u2028ä世😀`; strings.Count(out.String(), want) != 3 {
		t.Errorf("got %s", out.String())
	}
}

func TestEventPrinter_PrintsTheWholeListThenWhatChanges(t *testing.T) {
	var out bytes.Buffer
	e := newEventPrinter(&out, 1)
	a, b, c := client.World{ID: 1, Name: "A"}, client.World{ID: 2, Name: "B"}, client.World{ID: 3, Name: "C"}
	busier := b
	busier.Population = 80
	for _, step := range []struct {
		news  worldsNews
		lines []string
	}{
		{worldsNews{list: []client.World{a, b}}, []string{`{"event":"worlds","stale":false,"worlds":[{"id":1,`}},
		{worldsNews{list: []client.World{a, b}}, nil},
		{worldsNews{list: []client.World{busier, c}}, []string{`"change":"removed","world":{"id":1,`, `"change":"changed","world":{"id":2,`, `"change":"added","world":{"id":3,`}},
		{worldsNews{list: []client.World{busier, c}, stale: true}, []string{`{"event":"worlds","stale":true`}},
		{worldsNews{}, []string{`{"event":"worlds","stale":false,"worlds":[]}`}},
	} {
		out.Reset()
		if err := e.tell(step.news); err != nil {
			t.Fatal(err)
		}
		got := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if out.Len() == 0 {
			got = nil
		}
		if len(got) != len(step.lines) {
			t.Fatalf("%d lines, want %d:\n%s", len(got), len(step.lines), out.String())
		}
		for i, want := range step.lines {
			if !strings.Contains(got[i], want) {
				t.Errorf("line %s\n has no %s", got[i], want)
			}
		}
	}
}

func TestParseOrder(t *testing.T) {
	for line, want := range map[string]order{
		"select 7": {deed: deedSelect, world: 7}, " release ": {deed: deedRelease}, "enter": {deed: deedEnter},
		"quit": {deed: deedQuit}, "code 123456": {deed: deedCode, code: "123456"}, "  ": {},
	} {
		if got, err := parseOrder(line); err != nil || got != want {
			t.Errorf("%q is %v, %v", line, got, err)
		}
	}
	for line, meant := range map[string]string{
		"select": "select", "select 0": "select", "select 256": "select", "select x": "select", "select 1 2": "select", "enter 3": "enter",
		"code": "code", "code 4711 0815": "code", "code 4711x": "code", "secret1": "unknown",
	} {
		got, err := parseOrder(line)
		if err == nil || got.deed.String() != meant || got.code != "" {
			t.Errorf("%q is %v, %v", line, got, err)
		} else if strings.Contains(err.Error(), "4711") || strings.Contains(err.Error(), "secret1") {
			t.Errorf("%q is repeated: %v", line, err)
		}
	}
}

// Every line gets an answer, and a wrong line ends nothing.
func TestClientInput_AnswersEveryLine(t *testing.T) {
	var out bytes.Buffer
	codes, orders := newCodeDesk(), make(chan order, maxOrders)
	codes.want()
	in := newLineInput(strings.NewReader("code 12\ncode 34\ncode x\nselect\ndance\n\nselect 3\nquit\ndance\n"))
	in.follow(orders, codes, newEventPrinter(&out, 1))
	<-codes.ended
	if o := <-orders; o.world != 3 || <-codes.answers != "12" {
		t.Errorf("got %v", o)
	}
	var commands []string
	for line := range strings.Lines(out.String()) {
		var e map[string]any
		if err := json.Unmarshal([]byte(line), &e); err != nil || e["event"] != "error" || e["fatal"] != nil {
			t.Errorf("%s: %v", line, err)
		}
		commands = append(commands, fmt.Sprint(e["command"]))
	}
	if fmt.Sprint(commands) != "[code code select unknown]" {
		t.Errorf("answered: %v\n%s", commands, out.String())
	}
}

func TestEventPrinter_TellsWhatIsFatalAndWhatHasNoGate(t *testing.T) {
	var out bytes.Buffer
	e := newEventPrinter(&out, 1)
	e.failed(&playerError{text: "gone"})
	world := client.World{ID: 1, Status: client.StatusMismatch}
	if err := e.tell(worldsNews{list: []client.World{world}}); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`{"event":"error","fatal":true,"reason":"failed","text":"gone"}`, `"gate":false`, `"status":"mismatch"`} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %s in\n%s", want, out.String())
		}
	}
}

func TestClientInput_ReadsLinesOfAnyEnd(t *testing.T) {
	long := strings.Repeat("x", maxInputLine)
	in := newLineInput(strings.NewReader("one\r\ntwo\n\n" + long + "y\nlast"))
	for _, want := range []string{"one", "two", "", long, "y", "last"} {
		if got, err := in.line(); err != nil || got != want {
			t.Errorf("line %q, %v; want %q", got, err, want)
		}
	}
	if _, err := in.line(); !errors.Is(err, io.EOF) {
		t.Errorf("at the end: %v", err)
	}
}

func TestExplained_SaysItInPlainWords(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}
	lost := &net.OpError{Op: "read", Err: os.NewSyscallError("read", syscall.ECONNRESET)}
	for _, c := range []struct {
		err          error
		code         int
		reason, text string
	}{
		{client.ErrBadCredentials, exitRefused, "bad-credentials", "account name, password or code is wrong"},
		{&client.RefusedError{Result: codec.ResultBusy, RetryAfter: 3 * time.Second}, exitRefused, "busy", "the server is busy; try again in 3s"},
		{client.ErrVersion, exitRefused, "version-invalid", "this is build 7; --build names another"},
		{client.ErrBanned, exitRefused, "banned", "banned"},
		{fmt.Errorf("dial: %w", refused), 1, "unreachable", "cannot reach h:1 (connection refused)"},
		{fmt.Errorf("client: connection lost: %w", lost), 1, "lost", "the connection was lost"},
		{client.ErrServerProof, 1, "server-proof", "could not prove"},
		{client.ErrAccount, 2, "failed", "account name must be 1 to 16"},
		{errNoPassword, 2, "failed", "--password-stdin"},
		{fmt.Errorf("%w; %w", &client.TokenError{Err: io.ErrShortWrite}, errNoPassword), 2, "failed", "token cannot be used: short write; there is no terminal"},
	} {
		got := explained(c.err, "h:1", 7)
		if got.ExitCode() != c.code || got.reason() != c.reason || !strings.Contains(got.Error(), c.text) {
			t.Errorf("%v is %d, %s, %q", c.err, got.ExitCode(), got.reason(), got)
		}
		if !errors.Is(got, c.err) {
			t.Errorf("%v is lost in %v", c.err, got)
		}
	}
	for r := codec.ResultBadCredentials; r < codec.ResultCount; r++ {
		if text := refusalText(r); strings.Contains(text, r.String()) && strings.Contains(text, "refused") {
			t.Errorf("%v has no words", r)
		}
	}
	for r := codec.SelectUnknown; r < codec.SelectReasonCount; r++ {
		if strings.Contains(selectRefusal(r), "cannot be picked") {
			t.Errorf("%v has no words", r)
		}
	}
}

func TestFirstPick_FindsByNameOrID(t *testing.T) {
	list := []client.World{{ID: 3, Name: "Aldermoor"}, {ID: 40, Name: "3rd Age"}}
	for wanted, id := range map[string]uint8{"3": 3, "aldermoor": 3, "3RD age": 40, "40": 40} {
		if got, err := firstPick(wanted, list); err != nil || len(got) != 1 || got[0] != (order{deed: deedSelect, world: id}) {
			t.Errorf("%q is %v, %v", wanted, got, err)
		}
	}
	for _, wanted := range []string{"4", "Alder", "296"} {
		if _, err := firstPick(wanted, list); err == nil || !strings.Contains(err.Error(), "Aldermoor (3), 3rd Age (40)") {
			t.Errorf("%q: %v", wanted, err)
		}
	}
}
