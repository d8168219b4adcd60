package client

import (
	"fmt"
	"math"
	"strings"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"

	"gatepass/client"
)

const (
	// barCells is the width of the population bar at 100 percent.
	barCells = 10
	// nameCells is the largest width of the names.
	nameCells = 24
	// markCells is the width before each row, for the cursor and the mark of a change.
	markCells = 4
)

// look is a text style. The text has the same meaning without it.
type look string

const (
	lookStrong look = "1"
	lookFaint  look = "2"
	lookCursor look = "7"
	lookGood   look = "32"
	lookBad    look = "31"
	lookWait   look = "33"
)

// paint adds a style, unless the screen is plain.
func (s *screen) paint(l look, text string) string {
	if s.plain || strings.TrimSpace(text) == "" {
		return text
	}
	return "\x1b[" + string(l) + "m" + text + "\x1b[0m"
}

// printable removes characters that control a terminal or reverse its text.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case !unicode.IsPrint(r):
			return -1
		}
		return r
	}, text)
}

// fit cuts or pads text to exactly so many cells.
func fit(text string, cells int) string {
	text = ansi.Truncate(text, cells, "…")
	return text + strings.Repeat(" ", max(cells-ansi.StringWidth(text), 0))
}

// view returns the whole screen, within its width and height.
func (s *screen) view() string {
	below := s.below()
	head := []string{s.title(), ""}
	room := len(s.worlds)
	if s.height > 0 {
		room = min(room, max(s.height-len(head)-1-len(below), 1))
	}
	lines := append(append(head, s.tableLines(room)...), below...)
	if s.height > 0 && len(lines) > s.height {
		lines = lines[:s.height]
	}
	for i := range lines {
		if s.width > 0 {
			lines[i] = ansi.Truncate(lines[i], s.width, "…")
		}
	}
	return strings.Join(lines, "\n")
}

func (s *screen) title() string {
	state := s.paint(lookGood, "connected")
	switch {
	case s.away && s.held:
		state = s.paint(lookWait, "not connected while you are in a world")
	case s.away:
		state = s.paint(lookWait, fmt.Sprintf("reconnecting %s (%s)", s.countdown(), s.why))
	}
	return s.paint(lookStrong, printable(s.account)) + " at " + s.address + "   " + state
}

// countdown returns the whole seconds until the next attempt, rounded up.
func (s *screen) countdown() string {
	left := (s.retry.Sub(s.now) + time.Second - 1) / time.Second
	if left <= 0 {
		return "now"
	}
	return fmt.Sprintf("in %d s", left)
}

// table returns all worlds without a cursor, for output that is not a screen.
func (s *screen) table() string {
	s.plain, s.cursor = true, 0
	var b strings.Builder
	for _, line := range s.tableLines(len(s.worlds)) {
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}

// tableLines returns the heading and as many rows around the cursor as fit.
func (s *screen) tableLines(room int) []string {
	names := s.nameWidth()
	heading := fmt.Sprintf("%*s%3s  %s  %-7s %-11s %-16s %6s %5s", markCells, "", "ID", fit("WORLD", names), "KIND", "STATUS", "POPULATION", "QUEUE", "CHARS")
	if s.stale && s.any {
		heading += "   (this list may be old)"
	}
	lines := []string{s.paint(lookFaint, heading)}
	if len(s.worlds) == 0 {
		return append(lines, "    "+s.noWorlds())
	}
	first := min(max(s.row()-room/2, 0), len(s.worlds)-room)
	for _, w := range s.worlds[first : first+room] {
		lines = append(lines, s.line(w, names))
	}
	return lines
}

func (s *screen) noWorlds() string {
	if s.any {
		return "there are no worlds"
	}
	return "the list of worlds has not come yet"
}

func (s *screen) nameWidth() int {
	widest := len("WORLD")
	for _, w := range s.worlds {
		widest = max(widest, ansi.StringWidth(printable(w.Name)))
	}
	return min(widest, nameCells)
}

// line returns the row of a world. '>' is the cursor, '*' marks a recent change.
func (s *screen) line(w client.World, names int) string {
	cursor, changed := " ", " "
	if w.ID == s.cursor {
		cursor = ">"
	}
	if s.isTouched(w.ID) {
		changed = "*"
	}
	status, l := worldStatus(w)
	name := fit(printable(w.Name), names)
	if w.ID == s.cursor {
		name = s.paint(lookCursor, name)
	}
	characters := ""
	if w.Characters > 0 {
		characters = fmt.Sprint(w.Characters)
	}
	queue := ""
	if w.Queue > 0 {
		queue = fmt.Sprint(w.Queue)
	}
	return fmt.Sprintf(" %s%s %3d  %s  %-7s %s %s %6s %5s", cursor, s.paint(lookWait, changed), w.ID, name, w.Kind,
		s.paint(l, fit(status, 11)), fit(population(w), 16), queue, characters)
}

// worldStatus returns the first reason that keeps a player out, or how full the world
// is.
func worldStatus(w client.World) (string, look) {
	switch {
	case w.Address == "": // such a world is also a mismatch
		return "no gate", lookFaint
	case w.Status == client.StatusMismatch:
		return "other build", lookFaint
	case w.Status != client.StatusOnline:
		return w.Status.String(), lookBad
	case w.Locked:
		return "locked", lookBad
	case w.Full:
		return "full", lookWait
	}
	return "online", lookGood
}

// population returns a bar and the used percentage of the world. World.Population is
// 200 for a full world, as in the protocols.
func population(w client.World) string {
	if w.Status != client.StatusOnline {
		return ""
	}
	percent := min((w.Population+1)/2, 100)
	filled := (percent*barCells + 50) / 100
	return strings.Repeat("█", filled) + strings.Repeat("░", barCells-filled) + fmt.Sprintf(" %3d%%", percent)
}

// below returns the text under the table: the player's progress, events and keys.
func (s *screen) below() []string {
	lines := append([]string{"", s.progress()}, s.happened()...)
	return append(lines, "", s.paint(lookFaint, s.keys()))
}

// happened returns the events, wrapped to the width. If there is no room, it drops the
// oldest events, and the end of a single text that is too long.
func (s *screen) happened() (lines []string) {
	room := s.noteRoom()
	for i := len(s.lines) - 1; i >= 0 && room > 0; i-- {
		note := s.wrapped(s.lines[i])
		if len(note) > room && len(lines) > 0 {
			break
		}
		if len(note) > room {
			note = note[:room]
			note[room-1] += "…"
		}
		room -= len(note)
		lines = append(note, lines...)
	}
	return lines
}

// noteRoom returns how many event lines fit with the other parts and one world.
func (s *screen) noteRoom() int {
	if s.height == 0 {
		return math.MaxInt
	}
	const rest = 8 // title, heading, a world, progress, keys and empty lines
	return max(s.height-rest, 1)
}

// wrapped returns one note in lines no wider than the screen.
func (s *screen) wrapped(note string) []string {
	if s.width > 2*markCells {
		note = ansi.Wrap(note, s.width-3, "") // a mark and a blank before, "…" after
	}
	lines := strings.Split(note, "\n")
	for i := range lines {
		if i == 0 {
			lines[i] = s.paint(lookFaint, "· ") + lines[i]
		} else {
			lines[i] = "  " + lines[i]
		}
	}
	return lines
}

func (s *screen) progress() string {
	name := s.paint(lookStrong, s.name(s.world))
	switch s.stage {
	case stageAsking:
		return "asking for a pass for " + name + " …"
	case stagePass:
		if !s.isThere(s.world) {
			return "you have a pass for " + name + ", which is not online any more; pick another world, or wait for it"
		}
		return "you have a pass for " + name + "; press enter to go in"
	case stageEntering:
		if s.place > 0 {
			return fmt.Sprintf("waiting for %s: you are number %d in the queue", name, s.place)
		}
		return "entering " + name + " …"
	case stageIn:
		return s.paint(lookGood, "you are in ") + name
	}
	return "pick a world"
}

func (s *screen) keys() string {
	if s.factor != 0 {
		return fmt.Sprintf("%s wanted: %s_   enter gives it, Ctrl-C leaves", s.factor, strings.Repeat("•", len(s.typed)))
	}
	switch s.stage {
	case stagePass:
		if s.cursor != s.world || !s.isThere(s.world) {
			return "enter on another world picks that · r give it back · q quit"
		}
		return "enter go in · r give it back · q quit"
	case stageAsking, stageEntering:
		return "r give up · enter on another world picks that · q quit"
	case stageIn:
		return "r leave the world · q quit"
	}
	return "↑ ↓ choose · enter pick · q quit"
}
