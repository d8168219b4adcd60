package main

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatepass/accounts"
)

var (
	errNoConfirm = errors.New("there is no terminal to confirm on; give --yes if you mean it")
	errUnconfirm = errors.New("not confirmed; nothing was deleted")
)

func passwordOf(name string) question {
	return question{
		prompt: fmt.Sprintf("Password for %s: ", name), check: accounts.CheckPassword,
		noTerminal: errors.New("there is no terminal to ask for the password on; give it with --password-stdin"),
		mismatch:   errors.New("the two passwords differ; nothing was changed"),
	}
}

func pinOf(name string) question {
	return question{
		prompt: fmt.Sprintf("PIN for %s: ", name), check: accounts.CheckPIN,
		noTerminal: errors.New("there is no terminal to ask for the PIN on; give --pin-stdin, --totp or --off"),
		mismatch:   errors.New("the two PINs differ; nothing was changed"),
	}
}

// confirmDelete lets the operator type the name.
func confirmDelete(c *cobra.Command, name string, yes bool) error {
	if yes {
		return nil
	}
	t, ok := terminalOf(c)
	if !ok {
		return errNoConfirm
	}
	fmt.Fprintf(t.out, "Delete account %s for good? Type its name to confirm: ", name)
	line, err := await(c.Context(), func() (string, error) { return bufio.NewReader(t.in).ReadString('\n') })
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(line), name) {
		return errUnconfirm
	}
	return nil
}
