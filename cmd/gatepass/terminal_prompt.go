package main

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

// secretFromStdin reads the first line. What follows a secret that is far too long
// is not read.
func secretFromStdin(in io.Reader) (string, error) {
	line, err := bufio.NewReader(io.LimitReader(in, accounts.MaxPassword+256)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("reading standard input: %w", err)
	}
	return strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r"), nil
}

// question is how a secret is asked for.
type question struct {
	prompt string
	check  func(secret string) error
	// noTerminal and mismatch are said when there is nobody to ask, and when the
	// two answers differ.
	noTerminal, mismatch error
}

// askTwice asks without echo.
func askTwice(c *cobra.Command, q question) (string, error) {
	t, ok := terminalOf(c)
	if !ok {
		return "", q.noTerminal
	}
	secret, err := t.secret(c.Context(), q.prompt)
	if err != nil {
		return "", err
	}
	// Checked before it is asked for again.
	if err := q.check(secret); err != nil {
		return "", err
	}
	again, err := t.secret(c.Context(), "Again: ")
	if err == nil && again != secret {
		err = q.mismatch
	}
	return secret, err
}

// terminal is where the operator sits.
type terminal struct {
	in  *os.File
	out io.Writer
}

func terminalOf(c *cobra.Command) (terminal, bool) {
	in, ok := c.InOrStdin().(*os.File)
	if !ok || !term.IsTerminal(int(in.Fd())) {
		return terminal{}, false
	}
	return terminal{in: in, out: c.ErrOrStderr()}, true
}

// secret reads a line without echo. Ctrl-C ends it and gives the echo back.
func (t terminal) secret(ctx context.Context, prompt string) (string, error) {
	fd := int(t.in.Fd())
	state, err := term.GetState(fd)
	if err != nil {
		return "", err
	}
	defer term.Restore(fd, state)
	fmt.Fprint(t.out, prompt)
	defer fmt.Fprintln(t.out)
	return await(ctx, func() (string, error) {
		line, err := term.ReadPassword(fd)
		return string(line), err
	})
}

// await reads until ctx ends. A read that is given up stays behind in its
// goroutine; the process is about to end then.
func await(ctx context.Context, read func() (string, error)) (string, error) {
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
