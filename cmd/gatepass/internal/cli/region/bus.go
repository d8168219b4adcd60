package region

import (
	"crypto/rand"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/worlds/bus/busserver"
	buscreds "gatepass/worlds/bus/credentials"
)

// busCommands has what all bus commands share.
type busCommands struct {
	dir string
}

// Bus returns the command bus with its subcommands.
func Bus() *cobra.Command {
	b := &busCommands{}
	c := &cobra.Command{
		Use:   "bus",
		Short: "Make the bus's credentials, and run a bus alone",
		Long: `The bus connects login servers, worlds, managers and DNS: it is a NATS server.
'gatepass dev' and 'gatepass worlds' embed one; 'gatepass bus serve' runs one alone,
and a NATS server or cluster of your own works too.

Each node has credentials of its own, a file that says who it is and what it may
do: a world speaks for its own id only, and a node reads only messages that are meant
for it. Make the authority once, then a file for each node, and give the file to it:

  gatepass bus init --host bus.example.org
  gatepass bus add-login eu1
  gatepass bus add-world 7
  gatepass bus list

Neither the bus nor its nodes are restarted when one is added. The folder has the
keys that make nodes: keep it where you run these commands; docs/bus-credentials.md
says which files a server needs.`,
		Example: `  gatepass bus init --dir /etc/gatepass/bus --host bus.example.org --host 198.51.100.7
  gatepass bus add-world 7 --out world7.creds
  gatepass bus revoke world.7`,
	}
	c.PersistentFlags().StringVar(&b.dir, "dir", filepath.Join("data", "bus"), "the authority's `folder`")
	c.AddCommand(b.initCommand(), b.addCommand(), b.addWorldCommand(), b.addLoginCommand(), b.listCommand(),
		b.revokeCommand(), b.certifyCommand(), b.setupCommand(), b.serveCommand())
	return c
}

func (b *busCommands) initCommand() *cobra.Command {
	o := buscreds.InitOptions{Random: rand.Reader}
	c := &cobra.Command{
		Use:   "init",
		Short: "Make the authority of a region's bus",
		Long: `Makes the keys with which 'bus add' signs credentials and which the bus trusts, and a
certificate for its servers. Run it once for a region. Name every DNS name and address
under which nodes on other machines reach a server; loopback is always included, and
'bus certify' changes them later.

The folder also gets nats-server.conf, ready for a NATS server of your own.`,
		Example: `  gatepass bus init
  gatepass bus init --host bus.example.org --host 198.51.100.7 --region eu`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			o.Now = time.Now()
			a, err := buscreds.InitAuthority(b.dir, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "the bus of region %s has its authority in %s; keep %s secret\n",
				a.Region(), a.Dir(), filepath.Join(a.Dir(), "keys"))
			return nil
		},
	}
	c.Flags().StringVar(&o.Region, "region", "region", "the region's `name`: a-z, 0-9, - and _")
	hostFlag(c, &o)
	return c
}

func (b *busCommands) certifyCommand() *cobra.Command {
	o := buscreds.InitOptions{Random: rand.Reader}
	c := &cobra.Command{
		Use:   "certify",
		Short: "Make a new certificate for the servers",
		Long: `Makes a new certificate for servers with these hosts, and loopback; hosts that are
not named again are no longer in it. Servers use it from their next start on. Nodes
need nothing new: they trust ca.pem, which does not change.`,
		Example: `  gatepass bus certify --host bus.example.org --host bus2.example.org`,
		Args:    terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := buscreds.OpenAuthority(b.dir)
			if err != nil {
				return err
			}
			o.Now = time.Now()
			if err := a.Certify(o); err != nil {
				return err
			}
			fmt.Fprintf(c.OutOrStdout(), "new certificate in %s; servers take it at their next start\n", a.Dir())
			return nil
		},
	}
	hostFlag(c, &o)
	return c
}

func hostFlag(c *cobra.Command, o *buscreds.InitOptions) {
	c.Flags().StringSliceVar(&o.Hosts, "host", nil, "DNS `name` or address of a server, without a port; may be given again")
}

func (b *busCommands) setupCommand() *cobra.Command {
	o := busserver.SetupOptions{}
	c := &cobra.Command{
		Use:   "setup",
		Short: "Make the managers' buckets on a NATS server of your own",
		Long: `Makes the two JetStream buckets in which the world managers keep the list of worlds
and their lease; existing buckets stay as they are. Servers that gatepass runs do this
by themselves.`,
		Example: `  gatepass bus setup --bus tls://bus.example.org:4222
  gatepass bus setup --bus tls://b1.example.org:4222,tls://b2.example.org:4222 --replicas 3`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if o.URL == "" {
				return exit.Usage(fmt.Errorf("--bus: name the server, such as tls://bus.example.org:4222 (see '%s --help')", c.CommandPath()))
			}
			o.Dir = b.dir
			if err := busserver.Setup(c.Context(), o); err != nil {
				return err
			}
			fmt.Fprintln(c.OutOrStdout(), "the buckets are there")
			return nil
		},
	}
	c.Flags().StringVar(&o.URL, "bus", "", "`URL` of the server, several with commas between")
	c.Flags().IntVar(&o.Replicas, "replicas", 1, "how many servers of a cluster keep a copy: 1 or 3")
	return c
}
