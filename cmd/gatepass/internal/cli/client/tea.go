package client

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// redrawEvery is how often what depends on the clock is drawn anew: the countdown and
// the marks.
const redrawEvery = 250 * time.Millisecond

// teaScreen is a screen as a tea.Model: it adds the clock, and takes the orders away.
// Everything is called from the program's loop.
type teaScreen struct {
	screen *screen
	now    func() time.Time
	orders chan<- order
}

// tick says that time has passed.
type tick struct{}

func nextTick() tea.Cmd {
	return tea.Tick(redrawEvery, func(time.Time) tea.Msg { return tick{} })
}

// Init is tea.Model's.
func (t teaScreen) Init() tea.Cmd { return nextTick() }

// Update is tea.Model's. It never waits: an order too many is dropped.
func (t teaScreen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	for _, o := range t.screen.update(t.now(), msg) {
		select {
		case t.orders <- o:
		default:
		}
	}
	if _, ok := msg.(tick); ok {
		return t, nextTick()
	}
	return t, nil
}

// View is tea.Model's.
func (t teaScreen) View() tea.View {
	v := tea.NewView(t.screen.view())
	v.AltScreen = true
	v.WindowTitle = "gatepass"
	return v
}

// playOnScreen runs the player beside the screen until either is over. The terminal
// is as it was when it returns.
func playOnScreen(ctx context.Context, v *visit, p *player) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	model := teaScreen{newScreen(strings.ToUpper(v.account), v.address, uint16(v.build)), time.Now, v.orders}
	// The signals are run's; the keyboard's Ctrl-C comes as a key.
	program := tea.NewProgram(model, tea.WithContext(ctx), tea.WithOutput(v.cmd.OutOrStdout()), tea.WithoutSignalHandler())
	p.tell = func(news any) { program.Send(news) }
	over := make(chan error, 1)
	go func() {
		over <- p.play(ctx)
		program.Quit()
	}()
	_, err := program.Run()
	cancel()
	if errors.Is(err, tea.ErrProgramKilled) && !errors.Is(err, tea.ErrProgramPanic) {
		err = nil // ctx has ended
	}
	return errors.Join(<-over, err)
}
