package client

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"gatepass/client"
)

// worldJSON is a world in a line of --json.
type worldJSON struct {
	ID         uint8  `json:"id"`
	Name       string `json:"name"`
	Address    string `json:"address"`
	Gate       bool   `json:"gate"`
	Kind       string `json:"kind"`
	Category   int    `json:"category"`
	Status     string `json:"status"`
	Locked     bool   `json:"locked"`
	Full       bool   `json:"full"`
	Enterable  bool   `json:"enterable"`
	Population int    `json:"population"`
	Queue      int    `json:"queue"`
	Characters int    `json:"characters"`
}

func worldInJSON(w client.World) worldJSON {
	return worldJSON{
		ID: w.ID, Name: w.Name, Address: w.Address, Gate: w.Address != "", Kind: w.Kind.String(), Category: w.Category,
		Status: w.Status.String(), Locked: w.Locked, Full: w.Full, Enterable: w.Enterable(),
		Population: w.Population, Queue: w.Queue, Characters: w.Characters,
	}
}

// fields are the data of an event without its name.
type fields map[string]any

// eventPrinter writes events as JSON lines. It may be used from any goroutine.
type eventPrinter struct {
	build uint16

	mu   sync.Mutex
	out  io.Writer
	seen worldsNews
	any  bool // whether a list was printed
}

func newEventPrinter(out io.Writer, build uint16) *eventPrinter {
	return &eventPrinter{out: out, build: build}
}

// tell prints the lines for a piece of news.
func (e *eventPrinter) tell(news any) error {
	e.mu.Lock()
	defer e.mu.Unlock()
	if list, ok := news.(worldsNews); ok {
		return e.worldsLocked(list)
	}
	name, f := e.describe(news)
	if name == "" {
		return nil
	}
	return e.printLocked(name, f)
}

// failed prints why the program ends.
func (e *eventPrinter) failed(err *playerError) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_ = e.printLocked("error", fields{"fatal": true, "reason": err.reason(), "text": err.text})
}

// printLocked prints the name first, for people who read the lines.
func (e *eventPrinter) printLocked(name string, f fields) error {
	rest, err := json.Marshal(f)
	if err != nil {
		return err
	}
	line := fmt.Appendf(nil, `{"event":%q`, name)
	if len(f) > 0 {
		line = append(append(line, ','), rest[1:]...)
	} else {
		line = append(line, '}')
	}
	_, err = e.out.Write(append(escaped(line), '\n'))
	return err
}

// escaped writes unprintable characters as \uXXXX, so that names and notices cannot
// control the terminal or reverse its text. In JSON such characters occur only in
// strings.
func escaped(line []byte) []byte {
	var b []byte
	for _, r := range string(line) {
		switch {
		case unicode.IsPrint(r):
			b = utf8.AppendRune(b, r)
		case r > 0xffff:
			high, low := utf16.EncodeRune(r)
			b = fmt.Appendf(b, `\u%04x\u%04x`, high, low)
		default:
			b = fmt.Appendf(b, `\u%04x`, r)
		}
	}
	return b
}

// worldsLocked prints the whole list the first time and when its age changes. Otherwise
// it prints only the worlds that changed.
func (e *eventPrinter) worldsLocked(now worldsNews) error {
	before := e.seen
	e.seen = now
	if !e.any || before.stale != now.stale {
		e.any = true
		all := []worldJSON{}
		for _, w := range now.list {
			all = append(all, worldInJSON(w))
		}
		return e.printLocked("worlds", fields{"stale": now.stale, "worlds": all})
	}
	for _, c := range differences(before.list, now.list) {
		if err := e.printLocked("world", fields{"change": c.what, "world": worldInJSON(c.world)}); err != nil {
			return err
		}
	}
	return nil
}

// difference is a world that changed.
type difference struct {
	what  string
	world client.World
}

// differences compares two lists that are sorted by id.
func differences(before, now []client.World) (all []difference) {
	for len(before) > 0 || len(now) > 0 {
		switch {
		case len(now) == 0 || len(before) > 0 && before[0].ID < now[0].ID:
			all = append(all, difference{"removed", before[0]})
			before = before[1:]
		case len(before) == 0 || now[0].ID < before[0].ID:
			all = append(all, difference{"added", now[0]})
			now = now[1:]
		default:
			if before[0] != now[0] {
				all = append(all, difference{"changed", now[0]})
			}
			before, now = before[1:], now[1:]
		}
	}
	return all
}

// describe returns an event's name and fields. docs/client-json.md has the same table.
func (e *eventPrinter) describe(news any) (string, fields) {
	switch n := news.(type) {
	case signedInNews:
		return "signed-in", fields{"account": n.account}
	case askingNews:
		return "asking", fields{"world": n.world}
	case passNews:
		return "pass", fields{"world": n.pass.World, "address": n.pass.Address, "expires": n.pass.Expires.UTC().Format(time.RFC3339)}
	case enteringNews:
		return "entering", fields{"world": n.world}
	case enteredNews:
		return "entered", fields{"world": n.world}
	case leftNews:
		told := explained(n.err, "the world", e.build)
		return "left", fields{"world": n.world, "reason": told.reason(), "text": told.text}
	case releasedNews:
		return "released", nil
	case refusedNews:
		return "error", e.refused(n)
	case notRememberedNews:
		told := explained(n.err, "the login server", e.build)
		return "not-remembered", fields{"reason": told.reason(), "text": told.text}
	case forgottenNews:
		return "forgotten", fields{"remembered": n.had}
	case codeNews:
		return "code-wanted", fields{"factor": n.factor.String()}
	}
	return e.describeEvent(news)
}

// describeEvent is describe for the events of package client.
func (e *eventPrinter) describeEvent(news any) (string, fields) {
	switch n := news.(type) {
	case client.Notice:
		return "notice", fields{"text": n.Text}
	case client.QueuePosition:
		return "queue", fields{"world": n.World, "position": n.Position}
	case client.PassExpired:
		return "pass-expired", fields{"world": n.World}
	case client.GoingAway:
		return "going-away", fields{"after_seconds": seconds(n.After)}
	case client.Kicked:
		told := explained(n.Reason, "", e.build)
		return "kicked", fields{"reason": told.reason(), "text": told.text}
	case client.Disconnected:
		told := explained(n.Reason, "the login server", e.build)
		return "reconnecting", fields{"reason": told.reason(), "text": told.text, "retry_seconds": seconds(n.Retry), "held": n.Held}
	case client.Reconnected:
		return "reconnected", nil
	}
	return e.describeUpdate(news)
}

func (e *eventPrinter) refused(n refusedNews) fields {
	told := explained(n.err, "the world", e.build)
	f := fields{"command": n.deed.String(), "reason": told.reason(), "text": told.text}
	if n.world != 0 {
		f["world"] = n.world
	}
	if ids := alternatives(n.err); len(ids) > 0 {
		f["alternatives"] = ids
	}
	return f
}

// follow reads commands until standard input ends. It is called once.
func (i *lineInput) follow(orders chan<- order, codes *codeDesk, e *eventPrinter) {
	i.once.Do(func() {
		go func() {
			defer codes.end()
			for {
				line, err := i.line()
				if err != nil {
					return
				}
				o, err := parseOrder(line)
				switch {
				case o.deed == deedCode && err == nil:
					if !codes.give(o.code) {
						_ = e.tell(refusedNews{deedCode, 0, errNoWish})
					}
				case err != nil:
					_ = e.tell(refusedNews{o.deed, 0, err})
				case o.deed != 0:
					orders <- o
					if o.deed == deedQuit {
						return // no goroutine waits for a code any more
					}
				}
			}
		}()
	})
}

// parseOrder parses a line. An empty line is no order. With an error it returns which
// deed was meant, if any. The error does not repeat the input, which may be a code.
func parseOrder(line string) (order, error) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return order{}, nil
	}
	plain := map[string]deed{"release": deedRelease, "enter": deedEnter, "update": deedUpdate, "quit": deedQuit}
	switch d, ok := plain[words[0]]; {
	case ok && len(words) == 1:
		return order{deed: d}, nil
	case ok:
		return order{deed: d}, errors.New("nothing stands behind this command")
	case words[0] == "code":
		if len(words) != 2 || strings.Trim(words[1], "0123456789") != "" {
			return order{deed: deedCode}, errors.New("want one code, of digits only")
		}
		return order{deed: deedCode, code: words[1]}, nil
	case words[0] == "select":
		id, err := strconv.ParseUint(strings.Join(words[1:], " "), 10, 8)
		if err != nil || id == 0 {
			return order{deed: deedSelect}, errors.New("want the id of a world, 1 to 255")
		}
		return order{deed: deedSelect, world: uint8(id)}, nil
	}
	return order{}, fmt.Errorf("a line was not understood; commands are: select ID, release, enter, code DIGITS, update, quit")
}
