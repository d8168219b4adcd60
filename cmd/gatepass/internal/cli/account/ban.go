package account

import (
	"errors"
	"fmt"
	"net/netip"
	"os/user"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"gatepass/accounts"
	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

// banFlags are the flags of ban.
type banFlags struct {
	address, span, until, reason, by string
	forever                          bool
}

func (f *commands) banCommand() *cobra.Command {
	b := &banFlags{}
	c := &cobra.Command{
		Use:   "ban (NAME | --address CIDR) (--for SPAN | --until TIME | --forever)",
		Short: "Ban an account or a range of addresses",
		Long: `Bans an account or a range of addresses, for a duration, until a time, or
permanently. It replaces an existing ban. A running server closes the sessions
concerned at once.`,
		Example: `  gatepass account ban MALLORY --for 72h --reason "gold selling"
  gatepass account ban MALLORY --for 30d
  gatepass account ban MALLORY --until 2027-01-31T18:00:00Z
  gatepass account ban --address 203.0.113.0/24 --forever --reason "login flood"`,
		Args: addressOrName(&b.address),
		RunE: func(c *cobra.Command, args []string) error {
			s, err := b.sentence(time.Now())
			if err != nil {
				return exit.Usage(err)
			}
			target, prefix, err := banTarget(args, b.address)
			if err != nil {
				return exit.Usage(err)
			}
			return f.with(c.Context(), false, func(h *admin.Handle) error {
				if prefix.IsValid() {
					err = h.BanAddress(c.Context(), prefix, s)
				} else {
					err = h.Ban(c.Context(), target, s)
				}
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "%s banned %s\n", target, untilText(&s))
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&b.address, "address", "", "ban this address or `CIDR` range instead of an account")
	c.Flags().StringVar(&b.span, "for", "", "for this duration, such as 90m, 72h or 30d")
	c.Flags().StringVar(&b.until, "until", "", "until this `time`, in RFC 3339")
	c.Flags().BoolVar(&b.forever, "forever", false, "permanently")
	c.Flags().StringVar(&b.reason, "reason", "", "one line of text, stored with the ban")
	c.Flags().StringVar(&b.by, "by", "", "name of who bans (default: your user name)")
	return c
}

func (f *commands) unbanCommand() *cobra.Command {
	var address string
	c := &cobra.Command{
		Use:   "unban (NAME | --address CIDR)",
		Short: "Lift the ban of an account or of a range of addresses",
		Example: `  gatepass account unban MALLORY
  gatepass account unban --address 203.0.113.0/24`,
		Args: addressOrName(&address),
		RunE: func(c *cobra.Command, args []string) error {
			target, prefix, err := banTarget(args, address)
			if err != nil {
				return exit.Usage(err)
			}
			return f.with(c.Context(), false, func(h *admin.Handle) error {
				if prefix.IsValid() {
					err = h.UnbanAddress(c.Context(), prefix)
				} else {
					err = h.Unban(c.Context(), target)
				}
				if err == nil {
					fmt.Fprintf(c.OutOrStdout(), "%s is banned no more\n", target)
				}
				return err
			})
		},
	}
	c.Flags().StringVar(&address, "address", "", "lift the ban of this address or `CIDR` range, given as it was banned")
	return c
}

// addressOrName accepts one account name, or no argument with --address.
func addressOrName(address *string) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if (*address == "") == (len(args) == 1) && len(args) <= 1 {
			return nil
		}
		return exit.Usage(fmt.Errorf("%s takes either one account name or --address (see '%s --help')", c.CommandPath(), c.CommandPath()))
	}
}

// banTarget returns the account, or the range in its normal form.
func banTarget(args []string, address string) (string, netip.Prefix, error) {
	if address != "" {
		prefix, err := accounts.ParsePrefix(address)
		return prefix.String(), prefix, err
	}
	name, err := accounts.ParseName(args[0])
	return name.String(), netip.Prefix{}, err
}

func (b *banFlags) sentence(now time.Time) (accounts.Sentence, error) {
	s := accounts.Sentence{Forever: b.forever, Reason: b.reason, By: b.by}
	if s.By == "" {
		// If the user is unknown, the ban has no name.
		if u, err := user.Current(); err == nil {
			s.By = u.Username
		}
	}
	given := 0
	for _, set := range []bool{b.span != "", b.until != "", b.forever} {
		if set {
			given++
		}
	}
	if given != 1 {
		return s, errors.New("give exactly one of --for, --until and --forever")
	}
	var err error
	switch {
	case b.span != "":
		var span time.Duration
		span, err = parseSpan(b.span)
		s.Until = now.Add(span)
	case b.until != "":
		if s.Until, err = time.Parse(time.RFC3339, b.until); err != nil {
			err = fmt.Errorf("--until: give a time such as %s", now.Add(24*time.Hour).UTC().Format(time.RFC3339))
		}
	}
	return s, err
}

// maxBanDays keeps a duration within the range of a time.Duration.
const maxBanDays = 100 * 365

// parseSpan parses a Go duration or a number of days, at least a second.
func parseSpan(text string) (time.Duration, error) {
	span, err := time.ParseDuration(text)
	if digits, ok := strings.CutSuffix(text, "d"); ok {
		var days int
		if days, err = strconv.Atoi(digits); days > maxBanDays {
			return 0, fmt.Errorf("--for: %s is too long; use --forever", text)
		}
		span = time.Duration(days) * 24 * time.Hour
	}
	if err != nil || span < time.Second {
		return 0, fmt.Errorf("--for: give a span such as 90m, 72h or 30d")
	}
	return span, nil
}

func untilText(s *accounts.Sentence) string {
	if s.Forever {
		return "for good"
	}
	return "until " + terminal.Moment(s.Until.Unix())
}
