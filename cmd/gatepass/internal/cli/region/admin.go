package region

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process/roles"
	"gatepass/worlds/bus"
)

// adminTimeout is how long an operator waits for the manager's answer.
const adminTimeout = 5 * time.Second

// Admin returns the command admin with its subcommands.
func Admin() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "admin",
		Short: "Show the region, and send commands to it",
		Long: `Ask the region's world manager, or send commands to its login servers, over the bus.
The operator's credentials are made with the bus, in the folder bus within the data
folder; to make others:
    gatepass bus add admin.NAME`,
	}
	cmd.AddCommand(adminWorldsCommand(), adminLoginsCommand(), adminNoticeCommand(), adminMaintenanceCommand())
	return cmd
}

func adminWorldsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "worlds",
		Short: "List the worlds as the manager sees them",
		Example: `  gatepass admin worlds
  gatepass admin worlds --json | jq 'select(.offline)'
  gatepass admin worlds reset`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return asAdmin(cmd, func(ctx context.Context, conn *bus.Conn) error {
				list, err := admin.ListWorlds().Run(ctx, admin.Services{Region: conn}, admin.None{})
				if err != nil {
					return err
				}
				return PrintWorlds(cmd.OutOrStdout(), list, asJSON)
			})
		},
	}
	terminal.JSONFlag(cmd.Flags(), &asJSON)
	adminFlags(cmd)
	reset := &cobra.Command{
		Use:   "reset",
		Short: "Empty the list; running worlds register again",
		Args:  terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return asAdmin(cmd, func(ctx context.Context, conn *bus.Conn) error {
				if _, err := admin.ResetWorlds().Run(ctx, admin.Services{Region: conn}, admin.None{}); err != nil {
					return err
				}
				fmt.Fprintln(cmd.OutOrStdout(), "the list is empty; worlds that are there come back with their next heartbeat")
				return nil
			})
		},
	}
	adminFlags(reset)
	cmd.AddCommand(reset)
	return cmd
}

func adminLoginsCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:     "logins",
		Short:   "List the login servers",
		Example: `  gatepass admin logins`,
		Args:    terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return asAdmin(cmd, func(ctx context.Context, conn *bus.Conn) error {
				logins, err := admin.ListLogins().Run(ctx, admin.Services{Region: conn}, admin.None{})
				if err != nil {
					return err
				}
				return PrintLogins(cmd.OutOrStdout(), logins, asJSON)
			})
		},
	}
	terminal.JSONFlag(cmd.Flags(), &asJSON)
	adminFlags(cmd)
	return cmd
}

// adminFlags defines the flags of every command that asks the region.
func adminFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.String("config", "", "read a TOML configuration `FILE` (docs/configuration.md)")
	f.String("data", "data", "folder with the bus's credentials; the command finds a bus that is served from it, whatever its port")
	config.BusFlags(f)
	f.String("bus.listen", "127.0.0.1:4222", "address of the bus on this machine")
}

// asAdmin connects to the bus as the operator and calls do. The connection ends with it.
func asAdmin(cmd *cobra.Command, do func(context.Context, *bus.Conn) error) error {
	c, err := config.Load(cmd.Flags(), nil)
	if err != nil {
		return err
	}
	if c.Bus.URL == "" && !cmd.Flags().Changed("bus.listen") {
		c.Bus.URL = c.RunningBus()
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), adminTimeout)
	defer cancel()
	conn, err := bus.Connect(ctx, bus.Options{
		URL: c.BusURL(), Creds: c.CredsFile(roles.AdminNode), CA: c.CAFile(), Demand: true,
	})
	if err != nil {
		return fmt.Errorf("%w (credentials: %s, bus: %s)", err, filepath.Clean(c.CredsFile(roles.AdminNode)), c.BusURL())
	}
	defer conn.Close()
	return do(ctx, conn)
}

// PrintWorlds writes the worlds as a table, or as JSON with an object for each.
func PrintWorlds(out io.Writer, rows []admin.World, asJSON bool) error {
	if asJSON {
		return terminal.PrintObjects(out, rows...)
	}
	if len(rows) == 0 {
		fmt.Fprintln(out, "no world has registered")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "ID\tNAME\tSTATE\tADDRESS\tNATIVE\tPLAYERS\tQUEUE\tLOAD\tREGION")
	for _, r := range rows {
		state := "online"
		if r.Offline {
			state = "offline"
		}
		fmt.Fprintf(table, "%d\t%s\t%s\t%s\t%s\t%d/%d\t%d\t%.2f\t%s\n", r.ID, r.Name, state, r.Address, cmp.Or(r.Native, "-"), r.Players, r.Capacity, r.Queue, r.Load, r.Region)
	}
	return table.Flush()
}

// PrintLogins writes the login servers as a table, or as JSON with an object for each.
func PrintLogins(out io.Writer, rows []admin.LoginServer, asJSON bool) error {
	if asJSON {
		return terminal.PrintObjects(out, rows...)
	}
	if len(rows) == 0 {
		fmt.Fprintln(out, "no login server shows itself")
		return nil
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tADDRESS\tNATIVE\tCONNECTIONS\tSTATE")
	for _, r := range rows {
		state := "serving"
		if r.Draining {
			state = "draining"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%d/%d\t%s\n", r.Name, r.Address, cmp.Or(r.Native, "-"), r.Conns, r.MaxConns, state)
	}
	return table.Flush()
}
