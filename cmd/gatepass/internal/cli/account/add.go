package account

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

func (f *commands) addCommand() *cobra.Command {
	p := &passwordFlags{}
	c := &cobra.Command{
		Use:   "add NAME",
		Short: "Make an account",
		Long: `Makes an account. The name has 1 to 16 printable ASCII characters without a
colon, the password 1 to 16. The case of the password matters only to native
clients. The data folder is made if it does not exist.

The account can log in with the clients of the grunt protocol and with native ones.
The native verifier is made with Argon2id and the cost of --native-kdf; every native
sign-in by password costs the player's machine the same.`,
		Example: `  gatepass account add ALICE
  pass show game/alice | gatepass account add --data /var/lib/gatepass --password-stdin ALICE
  gatepass account add --native-group 3072 --native-kdf 131072,3,1 ALICE`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			return f.giveVerifiers(c, p, args[0], true, (*admin.Handle).Add, "added")
		},
	}
	p.register(c)
	return c
}

func (f *commands) passwdCommand() *cobra.Command {
	p := &passwordFlags{}
	c := &cobra.Command{
		Use:   "passwd NAME",
		Short: "Give an account another password",
		Long: `Gives an account another password. This makes new verifiers, the native one with the
parameters given here, so it also brings stronger parameters into use. The account
forgets its remembered devices, and a running server closes its sessions.`,
		Example: `  gatepass account passwd ALICE
  gatepass account passwd --password-stdin ALICE < new-password`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			return f.giveVerifiers(c, p, args[0], false, (*admin.Handle).SetPassword, "has a new password")
		},
	}
	p.register(c)
	return c
}

// giveVerifiers asks for the password of an account and hands it to set. create makes a
// store that is not there; said is what is printed of the account.
func (f *commands) giveVerifiers(c *cobra.Command, p *passwordFlags, account string, create bool,
	set func(*admin.Handle, context.Context, string, string) error, said string,
) error {
	if err := p.apply(c, f); err != nil {
		return err
	}
	name, password, err := credentials(c, account, p.stdin)
	if err != nil {
		return exit.Interrupted(c.Context(), err)
	}
	return f.with(c.Context(), create, func(h *admin.Handle) error {
		if err := set(h, c.Context(), name, password); err != nil {
			return err
		}
		fmt.Fprintf(c.OutOrStdout(), "account %s %s\n", name, said)
		return nil
	})
}

func (f *commands) deleteCommand() *cobra.Command {
	var yes bool
	c := &cobra.Command{
		Use:   "delete NAME",
		Short: "Remove an account for good",
		Long: `Removes an account and all that belongs to it: its verifiers, its ban, its
login record and its devices. A running server closes its sessions. Only an export
that was made before brings the account back.`,
		Example: `  gatepass account delete ALICE
  gatepass account delete --yes ALICE`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			name, err := accounts.ParseName(args[0])
			if err != nil {
				return exit.Usage(err)
			}
			return f.with(c.Context(), false, func(h *admin.Handle) error {
				// Checked first, so that nobody confirms a name that does not exist.
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

// passwordFlags select the source of a password and the verifiers made from it.
type passwordFlags struct {
	stdin, noNative bool
	native          nativeFlags
}

func (p *passwordFlags) register(c *cobra.Command) {
	c.Flags().BoolVar(&p.stdin, "password-stdin", false, "read the password from the first line of standard input")
	p.native.register(c)
	noNativeFlag(c, &p.noNative)
}

// apply handles the flags before anybody types a password.
func (p *passwordFlags) apply(c *cobra.Command, f *commands) error {
	if p.noNative && (c.Flags().Changed("native-group") || c.Flags().Changed("native-kdf")) {
		return exit.Usage(errors.New("--native-group and --native-kdf say how a native verifier is made, and --no-native makes none; give one or the other"))
	}
	f.manager.NoNative = p.noNative
	return f.setNative(&p.native)
}

// credentials checks the name before anybody types a password for it.
func credentials(c *cobra.Command, raw string, stdin bool) (name, password string, err error) {
	folded, err := accounts.ParseName(raw)
	if err != nil {
		return "", "", exit.Usage(err)
	}
	if stdin {
		password, err = terminal.SecretFromStdin(c.InOrStdin())
	} else {
		password, err = terminal.AskTwice(c, passwordOf(folded.String()))
	}
	if err != nil {
		return "", "", err
	}
	return folded.String(), password, accounts.CheckPassword(password)
}
