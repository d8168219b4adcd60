package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatepass/accounts"
)

func (f *accountFlags) addCommand() *cobra.Command {
	var stdin bool
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Make an account",
		Long: `Makes an account. The name has 1 to 16 printable ASCII characters without a
colon, the password 1 to 16; case matters in neither. The data folder is made if
it is not there yet.`,
		Example: `  gatepass account add ALICE
  pass show game/alice | gatepass account add --data /var/lib/gatepass --password-stdin ALICE`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			name, password, err := credentials(c, args[0], stdin)
			if err != nil {
				return interrupted(c.Context(), err)
			}
			return f.with(c.Context(), true, func(h *accounts.Handle) error {
				if err := h.Add(c.Context(), name, password); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "account %s added\n", name)
				return nil
			})
		},
	}
	passwordFlag(c, &stdin)
	return c
}

func (f *accountFlags) passwdCommand() *cobra.Command {
	var stdin bool
	c := &cobra.Command{
		Use:   "passwd NAME",
		Short: "Give an account another password",
		Example: `  gatepass account passwd ALICE
  gatepass account passwd --password-stdin ALICE < new-password`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			name, password, err := credentials(c, args[0], stdin)
			if err != nil {
				return interrupted(c.Context(), err)
			}
			return f.with(c.Context(), false, func(h *accounts.Handle) error {
				if err := h.SetPassword(c.Context(), name, password); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "account %s has a new password\n", name)
				return nil
			})
		},
	}
	passwordFlag(c, &stdin)
	return c
}

func (f *accountFlags) deleteCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Remove an account for good",
		Long: `Removes an account and all that belongs to it: its verifiers, its ban and its
login record. Sessions of it on a running server are closed. There is no way back
but an export made before.`,
		Example: `  gatepass account delete ALICE
  gatepass account delete --yes ALICE`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			name, err := accounts.ParseName(args[0])
			if err != nil {
				return usageError{err}
			}
			return f.with(c.Context(), false, func(h *accounts.Handle) error {
				// Looked up first, so that nobody confirms a name that is not there.
				if _, err := h.Show(c.Context(), name.String()); err != nil {
					return err
				}
				if err := confirmDelete(c, name.String(), yes); err != nil {
					return err
				}
				if err := h.Delete(c.Context(), name.String()); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "account %s deleted\n", name)
				return nil
			})
		},
	}
	c.Flags().BoolVar(&yes, "yes", false, "do not ask for confirmation")
	return c
}

func passwordFlag(c *cobra.Command, stdin *bool) {
	c.Flags().BoolVar(stdin, "password-stdin", false, "read the password from the first line of standard input")
}

// credentials checks the name before anybody types a password for it.
func credentials(c *cobra.Command, raw string, stdin bool) (name, password string, err error) {
	folded, err := accounts.ParseName(raw)
	if err != nil {
		return "", "", usageError{err}
	}
	if stdin {
		password, err = secretFromStdin(c.InOrStdin())
	} else {
		password, err = askTwice(c, passwordOf(folded.String()))
	}
	if err != nil {
		return "", "", err
	}
	return folded.String(), password, accounts.CheckPassword(password)
}
