package client

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"

	"gatepass/client"
)

const (
	// touchedFor is how long a changed row is marked.
	touchedFor = 3 * time.Second
	// keptLines is how many event lines are shown.
	keptLines = 4
	// maxTyped is the longest code, in bytes.
	maxTyped = 64
)

// screen is the player's view and the meaning of keys. It does no I/O and reads no
// clock: each message comes with its time, and update returns the orders.
type screen struct {
	account, address string
	build            uint16

	now           time.Time
	width, height int // in cells; 0: no limit
	plain         bool

	worlds  []client.World
	stale   bool
	any     bool                // a list has arrived
	touched map[uint8]time.Time // when each row changed
	cursor  uint8               // the world under the cursor, 0 without worlds

	stage stage
	world uint8 // of the stage
	place int   // in the queue; 0: unknown

	away, held bool
	why        string
	retry      time.Time

	factor client.Factor // the requested factor; 0: none
	typed  string        // a secret

	lines []string
}

func newScreen(account, address string, build uint16) *screen {
	return &screen{account: account, address: address, build: build, touched: map[uint8]time.Time{}}
}

// update handles a message at a time and returns the player's orders.
func (s *screen) update(now time.Time, msg any) []order {
	s.now = now
	switch m := msg.(type) {
	case tea.WindowSizeMsg:
		s.width, s.height = m.Width, m.Height
	case tea.KeyPressMsg:
		return s.press(m)
	case tea.PasteMsg:
		s.typeIn(m.Content)
	case worldsNews:
		s.takeWorlds(m)
	default:
		s.hear(msg)
	}
	return nil
}

// takeWorlds shows a list, marks its changes and keeps the cursor on the same world.
func (s *screen) takeWorlds(n worldsNews) {
	if s.any {
		for _, d := range differences(s.worlds, n.list) {
			s.touched[d.world.ID] = s.now
		}
	}
	at := s.row()
	s.worlds, s.stale, s.any = n.list, n.stale, true
	if s.find(s.cursor) < 0 {
		s.moveTo(at)
	}
}

// find returns the row of a world, or -1 if there is none.
func (s *screen) find(world uint8) int {
	return slices.IndexFunc(s.worlds, func(w client.World) bool { return w.ID == world })
}

// isThere reports whether a world is in the list and online.
func (s *screen) isThere(world uint8) bool {
	i := s.find(world)
	return i >= 0 && s.worlds[i].Status == client.StatusOnline
}

// row returns the row of the cursor.
func (s *screen) row() int { return max(s.find(s.cursor), 0) }

func (s *screen) moveTo(row int) {
	s.cursor = 0
	if len(s.worlds) > 0 {
		s.cursor = s.worlds[min(max(row, 0), len(s.worlds)-1)].ID
	}
}

func (s *screen) isTouched(world uint8) bool {
	at, ok := s.touched[world]
	return ok && s.now.Sub(at) < touchedFor
}

// press handles a key.
func (s *screen) press(m tea.KeyPressMsg) []order {
	key := m.String()
	switch {
	case key == "ctrl+c":
		return []order{{deed: deedQuit}}
	case s.factor != 0:
		return s.pressInCode(m)
	}
	switch key {
	case "q":
		return []order{{deed: deedQuit}}
	case "up", "k":
		s.moveTo(s.row() - 1)
	case "down", "j":
		s.moveTo(s.row() + 1)
	case "pgup":
		s.moveTo(s.row() - 10)
	case "pgdown":
		s.moveTo(s.row() + 10)
	case "home", "g":
		s.moveTo(0)
	case "end", "G":
		s.moveTo(len(s.worlds) - 1)
	case "enter":
		return s.pick()
	case "r", "esc":
		return s.giveBack()
	}
	return nil
}

// pick selects the world under the cursor. If its pass has arrived, it enters.
func (s *screen) pick() []order {
	switch {
	case s.cursor == 0:
		return nil
	case s.cursor != s.world || s.stage == stageIdle:
		return []order{{deed: deedSelect, world: s.cursor}}
	case s.stage == stagePass && s.isThere(s.world):
		return []order{{deed: deedEnter}}
	}
	return nil // already under way
}

func (s *screen) giveBack() []order {
	if s.stage == stageIdle {
		return nil
	}
	return []order{{deed: deedRelease}}
}

// pressInCode handles a key while the player types a second factor.
func (s *screen) pressInCode(m tea.KeyPressMsg) []order {
	switch m.String() {
	case "enter":
		if s.typed == "" {
			return nil
		}
		code := s.typed
		s.factor, s.typed = 0, ""
		return []order{{deed: deedCode, code: code}}
	case "backspace":
		if s.typed != "" {
			s.typed = s.typed[:len(s.typed)-1]
		}
	default:
		s.typeIn(m.Text)
	}
	return nil
}

// typeIn adds printable ASCII while a code is requested. Codes and PINs have no other
// characters.
func (s *screen) typeIn(text string) {
	for _, r := range text {
		if s.factor != 0 && r > ' ' && r < 0x7f && len(s.typed) < maxTyped {
			s.typed += string(r)
		}
	}
}

// hear handles the news of an order.
func (s *screen) hear(news any) {
	switch n := news.(type) {
	case askingNews:
		s.becomes(stageAsking, n.world)
	case passNews:
		s.becomes(stagePass, n.pass.World)
	case enteringNews:
		s.becomes(stageEntering, n.world)
	case enteredNews:
		s.becomes(stageIn, n.world)
	case leftNews:
		s.becomes(stageIdle, 0)
		s.note("you are out of %s: %s", s.name(n.world), s.explain(n.err))
	case releasedNews:
		s.becomes(stageIdle, 0)
		s.note("no world is picked any more")
	case refusedNews:
		s.refused(n)
	case codeNews:
		s.factor, s.typed = n.factor, ""
	default:
		s.hearEvent(news)
	}
}

// hearEvent handles an event of package client.
func (s *screen) hearEvent(news any) {
	switch n := news.(type) {
	case client.Notice:
		s.note("notice: %s", printable(n.Text))
	case client.QueuePosition:
		s.place = n.Position
	case client.PassExpired:
		s.becomes(stageIdle, 0)
		s.note("the pass for %s was not used in time", s.name(n.World))
	case client.GoingAway:
		s.note("the server goes away; coming back in %v", n.After.Round(time.Second))
	case client.Kicked:
		s.note("%s", s.explain(n.Reason))
	case client.Disconnected:
		s.away, s.held, s.why, s.retry = true, n.Held, s.explain(n.Reason), s.now.Add(n.Retry)
	case client.Reconnected:
		s.away = false
		if s.stage == stagePass {
			s.becomes(stageIdle, 0)
			s.note("connected again; the pass is over, pick anew")
		}
	}
}

func (s *screen) becomes(to stage, world uint8) {
	s.stage, s.world, s.place = to, world, 0
}

func (s *screen) refused(n refusedNews) {
	under := errors.Is(n.err, errUnderWay)
	if !under && (n.deed != deedRelease || s.stage != stageIdle) {
		s.becomes(stageIdle, 0)
	}
	text := s.explain(n.err)
	if n.world != 0 {
		text = s.name(n.world) + ": " + text
	}
	if ids := alternatives(n.err); len(ids) > 0 {
		var names []string
		for _, id := range ids {
			names = append(names, s.name(uint8(id)))
		}
		text += "; try " + strings.Join(names, ", ")
	}
	s.note("%s", text)
}

func (s *screen) explain(err error) string { return explained(err, s.address, s.build).text }

// name returns a world's name, or its number if it is no longer in the list.
func (s *screen) name(world uint8) string {
	if i := s.find(world); i >= 0 {
		return printable(s.worlds[i].Name)
	}
	return fmt.Sprintf("world %d", world)
}

// note adds an event line and drops the oldest.
func (s *screen) note(format string, args ...any) {
	s.lines = append(s.lines, fmt.Sprintf(format, args...))
	if len(s.lines) > keptLines {
		s.lines = s.lines[len(s.lines)-keptLines:]
	}
}
