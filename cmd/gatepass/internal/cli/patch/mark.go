package patch

import (
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"gatepass/admin"
	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/patches"
)

func newMark() *cobra.Command {
	var s scopeFlags
	c := &cobra.Command{
		Use:   "mark BUILD… (current | accepted | update | refused | none)",
		Short: "Mark builds as current, accepted, to update, or refused",
		Long: `Marks builds, the status last:

  current   let in; updates lead here
  accepted  let in
  update    sent the files to a current build, or to one that is let in if no current
            one can be reached; refused if neither can
  refused   refused, whatever patches there are
  none      removes the mark

A mark applies to the clients of its protocol, platform and locale. The most specific
one wins: platform and locale, platform alone, locale alone, neither. It also wins over
the configuration and the patches; docs/updates-reference.md has all the rules. A running
server follows it within a second: clients that are in stay in.`,
		Example: `  gatepass patch mark 6005 current
  gatepass patch mark 5464 5875 update
  gatepass patch mark 5875 accepted --platform OSX-x86
  gatepass patch mark 40 41 refused --protocol native
  gatepass patch mark 5875 none`,
		Args: func(c *cobra.Command, args []string) error {
			if len(args) >= 2 {
				return nil
			}
			return exit.Usage(fmt.Errorf("%s takes builds and behind them a status (see '%s --help')", c.CommandPath(), c.CommandPath()))
		},
		RunE: func(c *cobra.Command, args []string) error {
			marks, err := parseMarks(&s, args)
			if err != nil {
				return err
			}
			at, err := openConfig(c.Flags())
			if err != nil {
				return err
			}
			return at.mark(c, marks)
		},
	}
	s.register(c.Flags())
	return c
}

func (at *catalogueAt) mark(c *cobra.Command, marks []patches.Mark) error {
	before, err := at.view()
	if err != nil {
		return err
	}
	if _, err := admin.MarkBuilds().Run(c.Context(), at.service(), markRequest(marks)); err != nil {
		return at.ended(c.Context(), err)
	}
	after, err := at.view()
	if err != nil {
		return err
	}
	after.printMarks(c.OutOrStdout(), c.ErrOrStderr(), marks)
	warnStranded(c.ErrOrStderr(), before, after)
	return nil
}

// maxStranded is how many builds get a warning of their own.
const maxStranded = 10

// warnStranded warns about builds that had an update before and are refused now,
// although they were not marked refused: their update led through or to a refused
// build.
func warnStranded(warn io.Writer, before, after *catalogueView) {
	stranded := 0
	for _, was := range before.judgements() {
		is := after.judge(was.Scope, was.build)
		if was.verdict.Update == nil || is.status != patches.StatusUpdate || is.verdict.Update != nil {
			continue
		}
		if stranded++; stranded <= maxStranded {
			fmt.Fprintf(warn, "warning: clients of build %d (%s) were sent to build %d, by %s, and are refused now: no other way leads from it\n",
				was.build, was.Scope, was.to, strings.Join(was.ids(), ", "))
		}
	}
	if stranded > maxStranded {
		fmt.Fprintf(warn, "warning: so are those of %d more; 'gatepass patch list' shows them as refused: no way\n", stranded-maxStranded)
	}
}

// parseMarks parses builds and a status. StatusUnknown means none.
func parseMarks(s *scopeFlags, args []string) (marks []patches.Mark, err error) {
	scope, err := s.scope()
	if err != nil {
		return nil, err
	}
	last := args[len(args)-1]
	status, err := patches.ParseStatus(last)
	if _, first := patches.ParseStatus(args[0]); first == nil || args[0] == "none" {
		return nil, exit.Usage(fmt.Errorf("status: it comes last: mark BUILD… %s", args[0]))
	}
	if err != nil && last != "none" {
		return nil, exit.Usage(fmt.Errorf("status: %w, and none to take the mark back", err))
	}
	for _, text := range args[:len(args)-1] {
		build, err := parseBuild("build", text)
		if err != nil {
			return nil, err
		}
		marks = append(marks, patches.Mark{Scope: scope, Build: build, Status: status})
	}
	return marks, nil
}

// markRequest returns the request for marks with one scope and status.
func markRequest(marks []patches.Mark) admin.MarkBuildsRequest {
	q := admin.MarkBuildsRequest{Scope: admin.ScopeOf(marks[0].Scope), Status: "none"}
	if status := marks[0].Status; status != patches.StatusUnknown {
		q.Status = status.String()
	}
	for _, m := range marks {
		q.Builds = append(q.Builds, m.Build)
	}
	return q
}

// printMarks prints what clients get from now on.
func (v *catalogueView) printMarks(out, warn io.Writer, marks []patches.Mark) {
	for _, m := range marks {
		j := v.judge(m.Scope, m.Build)
		what := "is marked " + m.Status.String()
		if m.Status == patches.StatusUnknown {
			what = fmt.Sprintf("has no mark any more and counts as %s (%s)", j.status, j.why)
		}
		fmt.Fprintf(out, "%s %s: its clients are %s\n", m, what, j.text())
		if j.status == patches.StatusUpdate && j.verdict.Update == nil {
			fmt.Fprintf(warn, "warning: no way leads from build %d to one that is let in, so its clients are refused; 'gatepass patch add FILE --from %d --to BUILD%s' makes one\n",
				m.Build, m.Build, scopeArgs(m.Scope))
		}
	}
}
