package serve

import (
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/config"
	"gatepass/cmd/gatepass/internal/process/roles"
)

// DNS returns the command that runs a DNS server.
func DNS() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dns",
		Short: "Run an authoritative DNS server for the login servers' zone",
		Long: `Run an authoritative DNS server: the name of its zone leads clients to a healthy login
server, to emptier ones more often. Login servers announce themselves to it. Answers
leave out a login server as soon as it drains or falls silent.

Delegate the zone to it (docs/dns.md), and give it credentials of its own:
    gatepass bus add dns.NAME`,
		Example: `  gatepass dns --dns.zone login.example.org                      # on 127.0.0.1:5353, to try it
  gatepass dns --dns.zone login.example.org --dns.listen 0.0.0.0:53 --dns.ns ns1.login.example.org=198.51.100.5
  dig @127.0.0.1 -p 5353 login.example.org A`,
		Args: terminal.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := config.Load(cmd.Flags(), map[string]any{"node": "a", "admin": "127.0.0.1:9727"})
			if err != nil {
				return err
			}
			return run(cmd, c, roles.DNS)
		},
	}
	config.CommonFlags(cmd.Flags())
	cmd.Flags().String("node", "a", "`NAME` of this DNS server in its region")
	cmd.Flags().String("dns.zone", "", "the `ZONE` it answers for, such as login.example.org")
	cmd.Flags().String("dns.listen", "127.0.0.1:5353", "`HOST:PORT` for UDP and TCP")
	cmd.Flags().StringSlice("dns.ns", nil, "the zone's name servers, `NAME` or NAME=IP (default: ns1, at the listening address)")
	cmd.Flags().String("dns.hostmaster", "", "mail address in the SOA")
	cmd.Flags().Duration("dns.ttl", 5*time.Second, "how long resolvers may keep an answer")
	cmd.Flags().Lookup("admin").DefValue = "127.0.0.1:9727"
	return cmd
}
