package account

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

// factorFlags select the factor to change. No flag takes a PIN.
type factorFlags struct {
	pinStdin, totp, off bool
}

func (f *commands) factorCommand() *cobra.Command {
	w := &factorFlags{}
	c := &cobra.Command{
		Use:   "factor NAME [--pin-stdin | --totp | --off]",
		Short: "Set or remove an account's PIN or authenticator",
		Long: `Gives an account a second factor. Without a flag the command asks for a PIN of 4 to
10 digits at the terminal. --totp makes a new secret for an authenticator app and
prints it once: as text to type and as a URI to draw as a QR code. An account may
have both; setting one again replaces it. --off removes both.

Clients of 2.4.0 and later have a field for the code. On clients from 1.11 on players
type the code on a PIN pad; older clients cannot log in to an account with a second
factor. A remembered device signs in without a factor, so the account forgets all
its devices when a factor is set; --off leaves them. A running server closes the
sessions of the account.`,
		Example: `  gatepass account factor ALICE
  gatepass account factor --pin-stdin ALICE < pin
  gatepass account factor --totp ALICE | sed -n 's/^uri *//p' | qrencode -t utf8
  gatepass account factor --off ALICE`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			name, err := accounts.ParseName(args[0])
			if err != nil {
				return exit.Usage(err)
			}
			return exit.Interrupted(c.Context(), f.runFactor(c, w, name.String()))
		},
	}
	c.Flags().BoolVar(&w.pinStdin, "pin-stdin", false, "read a PIN from the first line of standard input")
	c.Flags().BoolVar(&w.totp, "totp", false, "make a new authenticator secret and print it")
	c.Flags().BoolVar(&w.off, "off", false, "remove PIN and authenticator")
	return c
}

// runFactor prompts for its input before it opens the accounts.
func (f *commands) runFactor(c *cobra.Command, w *factorFlags, name string) error {
	change, err := w.change(c, name)
	if err != nil {
		return err
	}
	return f.with(c.Context(), false, func(h *admin.Handle) error {
		return change(c.Context(), h)
	})
}

// change returns the change that the flags request.
func (w *factorFlags) change(c *cobra.Command, name string) (func(context.Context, *admin.Handle) error, error) {
	out := c.OutOrStdout()
	switch *w {
	case factorFlags{totp: true}:
		return func(ctx context.Context, h *admin.Handle) error {
			secret, devices, err := h.SetTOTP(ctx, name)
			if err == nil {
				printTOTP(out, name, secret)
				printForgotten(out, name, devices)
			}
			return err
		}, nil
	case factorFlags{off: true}:
		return func(ctx context.Context, h *admin.Handle) error {
			err := h.ClearFactors(ctx, name)
			if err == nil {
				fmt.Fprintf(out, "account %s has no second factor\n", name)
			}
			return err
		}, nil
	case factorFlags{}, factorFlags{pinStdin: true}:
		pin, err := w.pin(c, name)
		return func(ctx context.Context, h *admin.Handle) error {
			devices, err := h.SetPIN(ctx, name, pin)
			if err == nil {
				fmt.Fprintf(out, "account %s has a PIN\n", name)
				printForgotten(out, name, devices)
			}
			return err
		}, err
	}
	return nil, exit.Usage(fmt.Errorf("give at most one of --pin-stdin, --totp and --off"))
}

// printForgotten prints how many remembered devices a new factor removed.
func printForgotten(out io.Writer, name string, devices int) {
	if devices > 0 {
		fmt.Fprintf(out, "account %s has forgotten %s; whoever sits there gives password and factor again\n",
			name, terminal.Count(uint32(devices), "device", "devices"))
	}
}

func (w *factorFlags) pin(c *cobra.Command, name string) (pin string, err error) {
	if !w.pinStdin {
		return terminal.AskTwice(c, pinOf(name))
	}
	if pin, err = terminal.SecretFromStdin(c.InOrStdin()); err != nil {
		return "", err
	}
	return pin, accounts.CheckPIN(pin)
}

func printTOTP(out io.Writer, name string, secret *accounts.TOTPSecret) {
	fmt.Fprintf(out, `account %s has a new authenticator secret; it is not shown again
secret  %s
uri     %s
`, name, secret.Base32(), secret.URI())
}
