package region

import (
	"errors"
	"fmt"
	"path/filepath"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/worlds"
	buscreds "gatepass/worlds/bus/credentials"
)

// addFlags are the flags of the commands that add nodes.
type addFlags struct {
	out     string
	replace bool
}

func (b *busCommands) addCommand() *cobra.Command {
	return b.adding(&cobra.Command{
		Use:   "add NODE",
		Short: "Make credentials for a node: login.NAME, world.ID, manager.NAME, dns.NAME or admin.NAME",
		Long: `Makes the credentials of a node and writes them to a file that only you may read:
give it to the node over a secure channel, together with ca.pem if the bus is on
another machine. Nothing is restarted.

If the node has credentials already, the command fails; --replace revokes them, as
'bus revoke' does, and makes new ones.

What each kind may do is in docs/bus-credentials.md.`,
		Example: `  gatepass bus add manager.a
  gatepass bus add dns.a --out /etc/gatepass/dns.creds
  gatepass bus add admin.alice`,
	}, func(arg string) (worlds.Node, error) { return worlds.Node(arg), nil })
}

func (b *busCommands) addWorldCommand() *cobra.Command {
	return b.adding(&cobra.Command{
		Use:   "add-world ID",
		Short: "Make credentials for a world, 1 to 255",
		Long: `Makes the credentials of the world with that id, as 'bus add world.ID' does: with
them it speaks for this id and no other.`,
		Example: `  gatepass bus add-world 7
  gatepass bus add-world 7 --replace --out world7.creds`,
	}, func(arg string) (worlds.Node, error) { return worlds.Node(worlds.KindWorld + "." + arg), nil })
}

func (b *busCommands) addLoginCommand() *cobra.Command {
	return b.adding(&cobra.Command{
		Use:     "add-login NAME",
		Short:   "Make credentials for a login server",
		Long:    `Makes the credentials of the login server of that name, as 'bus add login.NAME' does.`,
		Example: `  gatepass bus add-login eu1`,
	}, func(arg string) (worlds.Node, error) { return worlds.LoginNode(arg), nil })
}

// adding completes a command that adds a node. means returns the node of its argument.
func (b *busCommands) adding(c *cobra.Command, means func(string) (worlds.Node, error)) *cobra.Command {
	f := &addFlags{}
	c.Args = oneNode
	c.RunE = func(c *cobra.Command, args []string) error {
		node, err := means(args[0])
		if err == nil {
			err = node.Validate()
		}
		if err != nil {
			return exit.Usage(err)
		}
		return b.add(c, node, f)
	}
	c.Flags().StringVar(&f.out, "out", "", "`file` of the credentials (default: NODE.creds in the authority's folder)")
	c.Flags().BoolVar(&f.replace, "replace", false, "revoke what the node has, and replace the file")
	return c
}

func (b *busCommands) add(c *cobra.Command, node worlds.Node, f *addFlags) error {
	a, err := buscreds.OpenAuthority(b.dir)
	if err != nil {
		return err
	}
	file := f.out
	if file == "" {
		file = filepath.Join(a.Dir(), string(node)+".creds")
	}
	if f.replace {
		err = a.ReplaceNode(node, file)
	} else {
		err = a.AddNode(node, file)
	}
	if errors.Is(err, buscreds.ErrExists) {
		return fmt.Errorf("%w; --replace revokes the old credentials and makes new ones", err)
	}
	if err == nil {
		fmt.Fprintf(c.OutOrStdout(), "node %s added: its credentials are in %s\n", node, file)
	}
	return err
}

// oneNode accepts exactly one argument.
func oneNode(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return exit.Usage(fmt.Errorf("'%s' takes one node, got %d arguments (see '%s --help')", c.UseLine(), len(args), c.CommandPath()))
}

func (b *busCommands) revokeCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "revoke NODE",
		Short: "Make the bus refuse a node's credentials",
		Long: `Makes the bus refuse the credentials that a node has. A server that gatepass runs
on this folder disconnects the node within a second or two. Other servers need the
changed file: copy region.jwt to the folders of other gatepass servers, and for a
NATS server of your own use the new nats-server.conf:  nats-server --signal reload

The node may be added again; it gets another key.`,
		Example: `  gatepass bus revoke world.7`,
		Args:    oneNode,
		RunE: func(c *cobra.Command, args []string) error {
			node := worlds.Node(args[0])
			if err := node.Validate(); err != nil {
				return exit.Usage(err)
			}
			a, err := buscreds.OpenAuthority(b.dir)
			if err == nil {
				err = a.Revoke(node)
			}
			if err == nil {
				fmt.Fprintf(c.OutOrStdout(), "node %s is revoked\n", node)
			}
			return err
		},
	}
}

// nodeJSON is a line of list --json.
type nodeJSON struct {
	Node    worlds.Node `json:"node"`
	Key     string      `json:"key"`
	Added   string      `json:"added"`
	Revoked bool        `json:"revoked"`
}

func (b *busCommands) listCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the nodes that have credentials",
		Long: `Lists the nodes that were added, with their public keys. 'gatepass admin worlds' and
'gatepass admin logins' say which of them are on the bus now.`,
		Example: `  gatepass bus list
  gatepass bus list --json | jq -r 'select(.revoked | not).node'`,
		Args: terminal.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			a, err := buscreds.OpenAuthority(b.dir)
			if err != nil {
				return err
			}
			all, err := a.Nodes()
			if err != nil {
				return err
			}
			return printNodes(c, all, asJSON)
		},
	}
	terminal.JSONFlag(c.Flags(), &asJSON)
	return c
}

func printNodes(c *cobra.Command, all []buscreds.NodeInfo, asJSON bool) error {
	if asJSON {
		rows := make([]nodeJSON, len(all))
		for i, n := range all {
			rows[i] = nodeJSON{n.Node, n.Key, n.Added.UTC().Format(time.RFC3339), n.Revoked}
		}
		return terminal.PrintObjects(c.OutOrStdout(), rows...)
	}
	w := tabwriter.NewWriter(c.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "NODE\tADDED\tSTATE\tKEY")
	for _, n := range all {
		state := "active"
		if n.Revoked {
			state = "revoked"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", n.Node, n.Added.UTC().Format(time.RFC3339), state, n.Key)
	}
	return w.Flush()
}
