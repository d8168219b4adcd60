package client

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	tea "charm.land/bubbletea/v2"
	"github.com/charmbracelet/x/ansi"
	"github.com/cockroachdb/datadriven"

	"gatepass/client"
	"gatepass/codec"
)

// TestScreen runs the files of testdata/client. After each message to the screen it
// prints the player's orders and the screen.
func TestScreen(t *testing.T) {
	datadriven.Walk(t, "testdata/screen", func(t *testing.T, path string) {
		p := &screenPlay{t: t, screen: newScreen("ANA", "login.example:3725", 1), now: time.Unix(1_000_000, 0)}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string { return p.step(d) })
	})
}

type screenPlay struct {
	t      *testing.T
	screen *screen
	now    time.Time
}

func (p *screenPlay) step(d *datadriven.TestData) string {
	var out strings.Builder
	for _, msg := range p.messages(d) {
		for _, o := range p.screen.update(p.now, msg) {
			fmt.Fprintf(&out, "wants: %v\n", o)
		}
	}
	for _, line := range strings.Split(ansi.Strip(p.screen.view()), "\n") {
		out.WriteString("|" + strings.TrimRight(line, " ") + "\n")
	}
	return out.String()
}

// messages returns the messages for a command of the script.
func (p *screenPlay) messages(d *datadriven.TestData) []any {
	switch d.Cmd {
	case "worlds":
		return []any{worldsNews{list: p.list(d.Input), stale: d.HasArg("stale")}}
	case "keys":
		var all []any
		for _, arg := range d.CmdArgs {
			all = append(all, pressed(arg.Key))
		}
		return all
	case "paste":
		return []any{tea.PasteMsg{Content: d.Input}}
	case "size":
		return []any{tea.WindowSizeMsg{Width: p.number(d, "width"), Height: p.number(d, "height")}}
	case "wait":
		p.now = p.now.Add(p.duration(d, "for"))
		return []any{tick{}}
	case "refused":
		return []any{p.refusal(d)}
	}
	return []any{p.news(d)}
}

// news returns the message of a command that stands for one message.
func (p *screenPlay) news(d *datadriven.TestData) any {
	world := func() uint8 { return uint8(p.number(d, "world")) }
	switch d.Cmd {
	case "asking":
		return askingNews{world()}
	case "pass":
		return passNews{&client.Pass{World: world()}}
	case "entering":
		return enteringNews{world()}
	case "entered":
		return enteredNews{world()}
	case "left":
		return leftNews{world(), client.ErrKicked}
	case "released":
		return releasedNews{}
	case "queue":
		return client.QueuePosition{World: world(), Position: p.number(d, "place")}
	case "expired":
		return client.PassExpired{World: world()}
	case "notice":
		text, err := strconv.Unquote(d.Input)
		if err != nil {
			p.t.Fatal(err)
		}
		return client.Notice{Text: text}
	case "away":
		return client.Disconnected{Reason: client.ErrUnheard, Retry: p.duration(d, "retry"), Held: d.HasArg("held")}
	case "back":
		return client.Reconnected{}
	case "going":
		return client.GoingAway{After: p.duration(d, "after")}
	case "code":
		return codeNews{client.FactorTOTP}
	}
	p.t.Fatalf("%s: there is no command %q", d.Pos, d.Cmd)
	return nil
}

func (p *screenPlay) refusal(d *datadriven.TestData) any {
	n := refusedNews{deed: deedSelect, world: uint8(p.number(d, "world")), err: errors.New("client: odd")}
	if d.HasArg("reason") {
		choice := &client.SelectError{World: n.world, Reason: codec.SelectReason(p.number(d, "reason"))}
		if d.HasArg("try") {
			choice.Alternatives = []uint8{uint8(p.number(d, "try"))}
		}
		n.err = choice
	}
	return n
}

// list parses worlds: id, name and kind, then the values that differ from the default.
func (p *screenPlay) list(input string) (all []client.World) {
	for line := range strings.Lines(input) {
		words := strings.Fields(line)
		id, err := strconv.Atoi(words[0])
		if err != nil {
			p.t.Fatal(err)
		}
		w := client.World{ID: uint8(id), Name: strings.ReplaceAll(words[1], "_", " "), Address: "g:1", Kind: client.KindPvP, Status: client.StatusOnline}
		for _, word := range words[2:] {
			p.trait(&w, word)
		}
		all = append(all, w)
	}
	return all
}

func (p *screenPlay) trait(w *client.World, word string) {
	key, value, _ := strings.Cut(word, "=")
	number, _ := strconv.Atoi(value)
	switch key {
	case "offline":
		w.Status = client.StatusOffline
	case "mismatch":
		w.Status = client.StatusMismatch
	case "locked":
		w.Locked = true
	case "full":
		w.Full = true
	case "nogate":
		w.Address, w.Status = "", client.StatusMismatch // as the server sends it
	case "pop":
		w.Population = number
	case "queue":
		w.Queue = number
	case "chars":
		w.Characters = number
	default:
		p.t.Fatalf("there is no trait %q", word)
	}
}

func (p *screenPlay) number(d *datadriven.TestData, key string) (n int) {
	d.ScanArgs(p.t, key, &n)
	return n
}

func (p *screenPlay) duration(d *datadriven.TestData, key string) time.Duration {
	var text string
	d.ScanArgs(p.t, key, &text)
	duration, err := time.ParseDuration(text)
	if err != nil {
		p.t.Fatal(err)
	}
	return duration
}

// pressed returns the key with that name.
func pressed(name string) tea.KeyPressMsg {
	special := map[string]tea.KeyPressMsg{
		"up": {Code: tea.KeyUp}, "down": {Code: tea.KeyDown}, "home": {Code: tea.KeyHome}, "end": {Code: tea.KeyEnd},
		"pgdown": {Code: tea.KeyPgDown}, "pgup": {Code: tea.KeyPgUp}, "esc": {Code: tea.KeyEscape},
		"enter": {Code: tea.KeyEnter}, "backspace": {Code: tea.KeyBackspace}, "ctrl+c": {Code: 'c', Mod: tea.ModCtrl},
	}
	if k, ok := special[name]; ok {
		return k
	}
	return tea.KeyPressMsg{Code: rune(name[0]), Text: name}
}

func TestScreen_ShowsNoCodeAndNoControlCharacters(t *testing.T) {
	s := newScreen("ANA", "a:1", 1)
	s.plain = true
	now := time.Unix(1, 0)
	s.update(now, worldsNews{list: []client.World{{ID: 1, Name: "A\x1b[31m\u202eB\x07"}}})
	s.update(now, client.Notice{Text: "one\ntwo\x1b]0;x\x07"})
	s.update(now, codeNews{client.FactorTOTP})
	for _, key := range []string{"4", "7", "1", "1"} {
		s.update(now, pressed(key))
	}
	view := s.view()
	if strings.Contains(view, "4711") || strings.ContainsAny(view, "\x1b\x07\u202e") {
		t.Errorf("the screen shows what it must not:\n%q", view)
	}
	orders := s.update(now, pressed("enter"))
	if len(orders) != 1 || orders[0].code != "4711" || strings.Contains(fmt.Sprintf("%v %+v %#v", orders[0], orders[0], orders[0]), "4711") {
		t.Errorf("the code went wrong: %v", orders)
	}
}
