package account

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"strings"
	"unicode"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/storage"
)

func (f *commands) devicesCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "devices NAME",
		Short: "List or revoke the devices that sign in without the password",
		Long: `Lists the devices on which a player chose to stay signed in, the one used last
first. Each has a token that is good for one sign-in, which replaces it. The family
names all tokens of a device; its first digits are enough to revoke it. What signs a
device in is never shown.

A new password makes an account forget its devices. An expired device lets nobody in
and is removed when another is added.`,
		Example: `  gatepass account devices ALICE
  gatepass account devices --json ALICE | jq -r 'select(.expired | not).name'
  gatepass account devices revoke ALICE 3f9a01c2
  gatepass account devices revoke ALICE --all`,
		Args: oneName,
		RunE: func(c *cobra.Command, args []string) error {
			name, err := accounts.ParseName(args[0])
			if err != nil {
				return exit.Usage(err)
			}
			return f.read(c.Context(), func(h *admin.Handle) error {
				devices, err := h.Devices(c.Context(), name.String())
				if err != nil {
					return err
				}
				return printDevices(c.OutOrStdout(), devices, deviceView{h.Now().Unix(), asJSON})
			})
		},
	}
	terminal.JSONFlag(c.Flags(), &asJSON)
	c.AddCommand(f.revokeCommand())
	return c
}

func (f *commands) revokeCommand() *cobra.Command {
	var all bool
	c := &cobra.Command{
		Use:   "revoke NAME (FAMILY | --all)",
		Short: "Make an account forget one device, or all of them",
		Long: `Makes an account forget a device: its next sign-in needs the password. A running
server ends all sessions of the account, those of its other devices too; the tokens
of those stay good. Nothing happens if the account has no devices.`,
		Example: `  gatepass account devices revoke ALICE 3f9a01c2
  gatepass account devices revoke ALICE --all`,
		Args: func(c *cobra.Command, args []string) error {
			if all && len(args) == 1 || !all && len(args) == 2 {
				return nil
			}
			return exit.Usage(fmt.Errorf("%s takes an account and either one family or --all (see '%s --help')", c.CommandPath(), c.CommandPath()))
		},
		RunE: func(c *cobra.Command, args []string) error {
			name, err := accounts.ParseName(args[0])
			if err != nil {
				return exit.Usage(err)
			}
			return f.with(c.Context(), false, func(h *admin.Handle) error {
				if all {
					return revokeAll(c, h, name)
				}
				return revokeOne(c, h, deviceArg{name.String(), args[1]})
			})
		},
	}
	c.Flags().BoolVar(&all, "all", false, "all devices of the account")
	return c
}

func revokeAll(c *cobra.Command, h *admin.Handle, name storage.Name) error {
	n, err := h.RevokeDevices(c.Context(), name.String())
	switch {
	case err != nil:
		return err
	case n == 0:
		fmt.Fprintf(c.OutOrStdout(), "account %s has no devices; nothing was changed\n", name)
	default:
		fmt.Fprintf(c.OutOrStdout(), "account %s has forgotten %s%s\n", name, terminal.Count(uint32(n), "device", "devices"), sessionsEnded(h))
	}
	return nil
}

// deviceArg is an account and the first digits of a family.
type deviceArg struct{ account, family string }

func revokeOne(c *cobra.Command, h *admin.Handle, which deviceArg) error {
	d, err := h.RevokeDevice(c.Context(), which.account, which.family)
	var field *accounts.FieldError
	switch {
	case errors.As(err, &field):
		return exit.Usage(err)
	case err == nil:
		fmt.Fprintf(c.OutOrStdout(), "account %s has forgotten %s %s%s\n", which.account, shortID(d.Family), deviceTitle(d.Name), sessionsEnded(h))
	}
	return err
}

// sessionsEnded returns what a running server did in addition.
func sessionsEnded(h *admin.Handle) string {
	if h.Live {
		return "; the account's sessions are ended"
	}
	return ""
}

// deviceView is the printed form of devices.
type deviceView struct {
	now    int64
	asJSON bool
}

// deviceRow has the name last, because its width varies.
const deviceRow = "%-8s  %-8s  %-20s  %-20s  %-15s  %-20s  %-7s  %s\n"

func printDevices(out io.Writer, devices []storage.Device, v deviceView) error {
	if !v.asJSON {
		fmt.Fprintf(out, deviceRow, "FAMILY", "DEVICE", "CREATED", "LAST USED", "FROM", "EXPIRES", "EXPIRED", "NAME")
	}
	for i := range devices {
		if err := printDevice(out, &devices[i], v); err != nil {
			return err
		}
	}
	return nil
}

func printDevice(out io.Writer, d *storage.Device, v deviceView) error {
	s := accounts.SummarizeDevice(d, v.now)
	if v.asJSON {
		return terminal.PrintObjects(out, s)
	}
	from, expired := "-", "no"
	if d.LastAddr.IsValid() {
		from = d.LastAddr.String()
	}
	if s.Expired {
		expired = "yes"
	}
	_, err := fmt.Fprintf(out, deviceRow, shortID(d.Family), shortID(d.ID), terminal.Moment(d.Created), terminal.Moment(d.LastUsed),
		from, terminal.Moment(d.Expires), expired, deviceTitle(d.Name))
	return err
}

// shortID returns enough of an id to distinguish an account's few devices.
func shortID(id [16]byte) string { return hex.EncodeToString(id[:4]) }

// deviceTitle returns a player's text for an operator's terminal. It removes characters
// that move the cursor or reverse the line.
func deviceTitle(name string) string {
	if name == "" {
		return "(no name)"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, name)
}

// devicesText returns the number of devices as text.
func devicesText(devices []storage.Device, now int64) string {
	expired := 0
	for i := range devices {
		if devices[i].Expires <= now {
			expired++
		}
	}
	switch {
	case len(devices) == 0:
		return "none"
	case expired > 0:
		return fmt.Sprintf("%d, %d of them expired", len(devices), expired)
	}
	return fmt.Sprint(len(devices))
}
