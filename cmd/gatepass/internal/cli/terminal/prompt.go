package terminal

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"gatepass/accounts"
)

// SecretFromStdin reads the first line. What follows a secret that is far too long
// is not read.
func SecretFromStdin(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, accounts.MaxPassword+256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading standard input: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// Question is how a secret is asked for.
type Question struct {
	Prompt string
	Check  func(secret string) error
	// NoTerminal and mismatch are said when there is nobody to ask, and when the
	// two answers differ.
	NoTerminal, Mismatch error
}

// AskTwice asks without echo.
func AskTwice(c *cobra.Command, q Question) (string, error) {
	t, ok := ConsoleOf(c)
	if !ok {
		return "", q.NoTerminal
	}
	secret, err := t.Secret(c.Context(), q.Prompt)
	if err != nil {
		return "", err
	}
	// Checked before it is asked for again.
	if err := q.Check(secret); err != nil {
		return "", err
	}
	again, err := t.Secret(c.Context(), "Again: ")
	if err == nil && again != secret {
		err = q.Mismatch
	}
	return secret, err
}

// Console is where the operator sits.
type Console struct {
	In  *os.File
	Out io.Writer
}

func ConsoleOf(c *cobra.Command) (Console, bool) {
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return Console{}, false
	}
	return Console{In: in, Out: c.ErrOrStderr()}, true
}

// Secret reads a line without echo. Ctrl-C ends it and gives the echo back.
func (t Console) Secret(ctx context.Context, prompt string) (string, error) {
	fd := int(t.In.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	defer term.Restore(fd, state)
	fmt.Fprint(t.Out, prompt)
	defer fmt.Fprintln(t.Out)
	return Await(ctx, func() (string, error) {
		line, err := term.ReadPassword(fd)
		return string(line), err
	})
}

// Await reads until ctx ends. A read that is given up stays behind in its
// goroutine; the process is about to end then.
func Await(ctx context.Context, read func() (string, error)) (string, error) {
	type answer struct {
		line string
		err  error
	}
	answers := make(chan answer, 1)
	go func() {
		line, err := read()
		answers <- answer{line, err}
	}()
	select {
	case a := <-answers:
		return a.line, a.err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}
