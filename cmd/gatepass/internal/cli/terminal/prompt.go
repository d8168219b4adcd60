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

// SecretFromStdin returns the first line of in. It does not read more than a secret may
// have.
func SecretFromStdin(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, accounts.MaxPassword+256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading standard input: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// Question says how to ask for a secret.
type Question struct {
	Prompt string
	Check  func(secret string) error
	// NoTerminal is the error if there is no terminal to ask on, Mismatch the error if the
	// two answers differ.
	NoTerminal, Mismatch error
}

// AskTwice asks for a secret twice, without echo, and returns it if the answers are equal.
func AskTwice(c *cobra.Command, q Question) (string, error) {
	t, ok := ConsoleOf(c)
	if !ok {
		return "", q.NoTerminal
	}
	secret, err := t.Secret(c.Context(), q.Prompt)
	if err != nil {
		return "", err
	}
	// Check the first answer before asking again.
	if err := q.Check(secret); err != nil {
		return "", err
	}
	again, err := t.Secret(c.Context(), "Again: ")
	if err == nil && again != secret {
		err = q.Mismatch
	}
	return secret, err
}

// Console is the operator's terminal.
type Console struct {
	In  *os.File
	Out io.Writer
}

// ConsoleOf returns the terminal of a command, and false if standard input is none.
func ConsoleOf(c *cobra.Command) (Console, bool) {
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return Console{}, false
	}
	return Console{In: in, Out: c.ErrOrStderr()}, true
}

// Secret reads a line without echo. It turns the echo on again, also when ctx ends.
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

// Await returns what read returns, or the error of ctx when that ends first. In that case
// read stays blocked in its goroutine; the process is about to end.
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
