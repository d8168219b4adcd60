package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/account"
	"gatepass/cmd/gatepass/internal/cli/bench"
	"gatepass/cmd/gatepass/internal/cli/client"
	"gatepass/cmd/gatepass/internal/cli/patch"
	"gatepass/cmd/gatepass/internal/cli/region"
	"gatepass/cmd/gatepass/internal/cli/serve"
	"gatepass/cmd/gatepass/internal/cli/store"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

// Root returns the tree of all commands.
func Root() *cobra.Command {
	root := &cobra.Command{
		Use:   "gatepass",
		Short: "The login edge of an online game",
		Long: `gatepass checks who a player is, shows the worlds as they are right now and
admits the player to one of them.

Start with:    gatepass dev
Then add one:  gatepass account add NAME`,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return exit.Usage(fmt.Errorf("%w (see '%s --help')", terminal.FlagFault(err), c.CommandPath()))
	})
	root.AddCommand(serve.Dev(), serve.Login(), serve.Worlds(), serve.Gateway(), serve.DNS(), region.Bus(), region.Admin(), client.Command(),
		account.Command(), store.Command(), patch.Command(), bench.Command(), newVersion())
	for _, c := range append(root.Commands(), root) {
		if c.HasSubCommands() && c.RunE == nil {
			group(c)
		}
	}
	return root
}

// group makes a command that only groups others refuse an unknown one and suggest the
// nearest. By default, cobra shows the help and succeeds.
func group(c *cobra.Command) {
	c.SuggestionsMinimumDistance = 2
	c.Args = func(c *cobra.Command, args []string) error {
		if len(args) == 0 {
			return nil
		}
		meant := ""
		if near := c.SuggestionsFor(args[0]); len(near) > 0 {
			meant = fmt.Sprintf(", did you mean %q?", near[0])
		}
		return exit.Usage(fmt.Errorf("there is no command %q below '%s'%s (see '%s --help')", args[0], c.CommandPath(), meant, c.CommandPath()))
	}
	c.RunE = func(c *cobra.Command, _ []string) error { return c.Help() }
}
