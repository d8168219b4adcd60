package region

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/worlds"
	"gatepass/worlds/bus"
)

func adminNoticeCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "notice TEXT",
		Short: "Show a text to every connected player of a native client",
		Long: fmt.Sprintf(`Tell every login server to show the players who are connected to it a text. It is one
argument, so quote it, at most %d bytes on one line. Only native clients can show it,
and nothing is kept: who connects later does not see it.`, worlds.MaxNotice),
		Example: `  gatepass admin notice 'The realm closes in 5 minutes.'`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && strings.TrimSpace(args[0]) == "" {
				return exit.Usage(errors.New("notice: give a text"))
			}
			if len(args) == 1 {
				return nil
			}
			return exit.Usage(fmt.Errorf("%s takes the text as one argument, got %d; quote it (see '%s --help')", c.CommandPath(), len(args), c.CommandPath()))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			q := admin.NoticeRequest{Text: args[0]}
			if err := q.Validate(); err != nil {
				return exit.Usage(err)
			}
			return asAdmin(cmd, func(ctx context.Context, conn *bus.Conn) error {
				_, err := admin.SendNotice().Run(ctx, admin.Services{Region: conn}, q)
				return sayOrdered(cmd, conn, err, "the login servers show it")
			})
		},
	}
	adminFlags(cmd)
	return cmd
}

func adminMaintenanceCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "maintenance on|off",
		Short: "Refuse all logins, or accept them again",
		Long: `Tell every login server to refuse logins from now on, or to accept them again. Players
who are in stay in. Login servers do not store this: a login server that starts later
lets players in, so repeat the command then. The metric gatepass_maintenance of a
login server is 1 while it refuses logins.`,
		Example: `  gatepass admin maintenance on
  gatepass admin notice 'The realm closes in 5 minutes.'
  gatepass admin maintenance off`,
		ValidArgs: []string{"on", "off"},
		Args: func(c *cobra.Command, args []string) error {
			if len(args) == 1 && (args[0] == "on" || args[0] == "off") {
				return nil
			}
			return exit.Usage(fmt.Errorf("%s takes either on or off, got %q (see '%s --help')", c.CommandPath(), args, c.CommandPath()))
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			on := args[0] == "on"
			done := "the login servers let players in"
			if on {
				done = "the login servers let nobody in; one that starts from now on does, until it is told"
			}
			return asAdmin(cmd, func(ctx context.Context, conn *bus.Conn) error {
				_, err := admin.SetMaintenance().Run(ctx, admin.Services{Region: conn}, admin.MaintenanceRequest{On: on})
				return sayOrdered(cmd, conn, err, done)
			})
		},
	}
	adminFlags(cmd)
	return cmd
}

// sayOrdered prints that the login servers got the order, or why they did not.
func sayOrdered(cmd *cobra.Command, conn *bus.Conn, err error, done string) error {
	if errors.Is(err, bus.ErrMayNotOrder) {
		return fmt.Errorf("%w with: gatepass bus add %s --replace", err, conn.Self())
	}
	if err == nil {
		fmt.Fprintln(cmd.OutOrStdout(), done)
	}
	return err
}
