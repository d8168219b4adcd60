package account

import (
	"bufio"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/cmd/gatepass/internal/cli/terminal"
)

var (
	errNoConfirm = errors.New("there is no terminal to confirm on; give --yes if you mean it")
	errUnconfirm = errors.New("not confirmed; nothing was deleted")
)

func passwordOf(name string) terminal.Question {
	return terminal.Question{
		Prompt: fmt.Sprintf("Password for %s: ", name), Check: accounts.CheckPassword,
		NoTerminal: errors.New("there is no terminal to ask for the password on; give it with --password-stdin"),
		Mismatch:   errors.New("the two passwords differ; nothing was changed"),
	}
}

func pinOf(name string) terminal.Question {
	return terminal.Question{
		Prompt: fmt.Sprintf("PIN for %s: ", name), Check: accounts.CheckPIN,
		NoTerminal: errors.New("there is no terminal to ask for the PIN on; give --pin-stdin, --totp or --off"),
		Mismatch:   errors.New("the two PINs differ; nothing was changed"),
	}
}

// confirmDelete asks the operator to type the name.
func confirmDelete(c *cobra.Command, name string, yes bool) error {
	if yes {
		return nil
	}
	t, ok := terminal.ConsoleOf(c)
	if !ok {
		return errNoConfirm
	}
	fmt.Fprintf(t.Out, "Delete account %s for good? Type its name to confirm: ", name)
	line, err := terminal.Await(c.Context(), func() (string, error) { return bufio.NewReader(t.In).ReadString('\n') })
	if err != nil {
		return err
	}
	if !strings.EqualFold(strings.TrimSpace(line), name) {
		return errUnconfirm
	}
	return nil
}
