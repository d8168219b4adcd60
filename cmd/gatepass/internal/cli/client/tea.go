package client

import (
	"context"
	"errors"
	"strings"
	"time"

	tea "charm.land/bubbletea/v2"
)

// redrawEvery is how often the parts that depend on the clock are drawn: the countdown
// and the marks.
const redrawEvery = 250 * time.Millisecond

// teaScreen is a screen as a tea.Model. It adds the clock and passes on the orders. The
// program's loop calls all methods.
type teaScreen struct {
	screen *screen
	now    func() time.Time
	orders chan<- order
}

// tick is the message that time has passed.
type tick struct{}

func nextTick() tea.Cmd {
	return tea.Tick(redrawEvery, func(time.Time) tea.Msg { return tick{} })
}

// Init implements tea.Model.
func (t teaScreen) Init() tea.Cmd { return nextTick() }

// Update implements tea.Model. It never blocks: if the orders are full, it drops one.
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

// View implements tea.Model.
func (t teaScreen) View() tea.View {
	v := tea.NewView(t.screen.view())
	v.AltScreen = true
	v.WindowTitle = "gatepass"
	return v
}

// playOnScreen runs the player and the screen until one of them ends. It restores the
// terminal before it returns.
func playOnScreen(ctx context.Context, v *visit, p *player) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	model := teaScreen{newScreen(strings.ToUpper(v.account), v.address, uint16(v.build)), time.Now, v.orders}
	// run handles the signals. Ctrl-C on the keyboard arrives as a key.
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
