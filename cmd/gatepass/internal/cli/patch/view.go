package patch

import (
	"fmt"
	"slices"
	"strings"

	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/codec"
	"gatepass/patches"
)

// catalogueView is a catalogue with a server's decisions for this configuration.
type catalogueView struct {
	catalogue *patches.Catalogue
	set       *patches.Set
	defaults  patches.Defaults
}

func (at *catalogueAt) view() (*catalogueView, error) {
	c, err := at.load()
	if err != nil {
		return nil, err
	}
	// The entries of the set have the faults of files.
	set, _ := patches.Open(at.dir, at.defaults)
	return &catalogueView{c, set, at.defaults}, nil
}

// judgement is what clients of a build get, and why.
type judgement struct {
	patches.Scope
	build  uint16
	status patches.Status
	why    string
	// verdict is the server's own.
	verdict patches.Verdict
	// way has the files that a client gets in order. to is the build that they lead to.
	way []patches.File
	to  uint16
}

// judge returns the judgement for a client with the values of the scope. Where the
// scope is open, no narrower rule of the catalogue applies to the client.
func (v *catalogueView) judge(scope patches.Scope, build uint16) judgement {
	j := judgement{Scope: scope, build: build, verdict: v.set.Judge(clientOf(scope, build)), to: build}
	j.status, j.why = v.set.Explain(clientOf(scope, build))
	next := j.verdict
	// The loop ends after Steps, because the catalogue can differ from the set's by
	// now.
	for range j.verdict.Steps {
		if next.Update == nil {
			break
		}
		j.way = append(j.way, *next.Update)
		j.to = next.Update.To
		next = v.set.Judge(clientOf(scope, j.to))
	}
	return j
}

func (j *judgement) let() bool { return j.verdict.Allowed }

// text returns what clients get.
func (j *judgement) text() string {
	switch {
	case j.let():
		return "let in"
	case j.verdict.Update != nil:
		return fmt.Sprintf("sent %s, to build %d", j.size(), j.to)
	case j.status == patches.StatusUpdate:
		return "refused: no way"
	}
	return "refused"
}

// size returns the size of all files of the way.
func (j *judgement) size() string {
	if j.verdict.Steps == 1 {
		return "1 file of " + terminal.SizeText(j.verdict.Total)
	}
	return fmt.Sprintf("%d files of %s in sum", j.verdict.Steps, terminal.SizeText(j.verdict.Total))
}

// ids returns the patches of the way.
func (j *judgement) ids() []string {
	ids := make([]string, 0, len(j.way))
	for i := range j.way {
		ids = append(ids, j.way[i].ID)
	}
	return ids
}

// same reports whether both clients get the same.
func (j *judgement) same(k *judgement) bool {
	return j.status == k.status && j.let() == k.let() && slices.Equal(j.ids(), k.ids())
}

// judgements returns those of all builds that have rules, the widest scope of each
// build first. A narrower scope is included if it has its own mark or a result that
// differs from the nearest wider one included: platform and locale, platform, locale.
func (v *catalogueView) judgements() (all []judgement) {
	for _, protocol := range [...]codec.Protocol{codec.ProtocolGrunt, codec.ProtocolNative} {
		platforms, locales := v.tags(protocol)
		for _, build := range v.builds(protocol) {
			rows := map[patches.Scope]*judgement{}
			for _, platform := range platforms {
				for _, locale := range locales {
					s := patches.Scope{Protocol: protocol, Platform: platform, Locale: locale}
					j := v.judge(s, build)
					if near := nearest(rows, s); near != nil && near.same(&j) && !v.hasMark(s, build) {
						continue
					}
					rows[s] = &j
					all = append(all, j)
				}
			}
		}
	}
	return all
}

// nearest returns the row that applies to the scope so far.
func nearest(rows map[patches.Scope]*judgement, s patches.Scope) *judgement {
	for _, wider := range [...]patches.Scope{
		{Protocol: s.Protocol, Platform: s.Platform},
		{Protocol: s.Protocol, Locale: s.Locale},
		{Protocol: s.Protocol},
	} {
		if j := rows[wider]; j != nil {
			return j
		}
	}
	return nil
}

func (v *catalogueView) hasMark(s patches.Scope, build uint16) bool {
	return slices.ContainsFunc(v.catalogue.Marks, func(m patches.Mark) bool { return m.Scope == s && m.Build == build })
}

// builds returns the builds in the catalogue and the configuration, in order.
func (v *catalogueView) builds(protocol codec.Protocol) []uint16 {
	all := slices.Clone(v.defaults.Grunt)
	if protocol == codec.ProtocolNative {
		all = slices.Clone(v.defaults.Native)
	}
	for _, m := range v.catalogue.Marks {
		if m.Protocol == protocol {
			all = append(all, m.Build)
		}
	}
	for i := range v.catalogue.Patches {
		if p := &v.catalogue.Patches[i]; p.Protocol == protocol {
			all = append(all, p.From, p.To)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// tags returns the platforms and locales in the catalogue, "" for any first.
func (v *catalogueView) tags(protocol codec.Protocol) (platforms, locales []string) {
	platforms, locales = []string{""}, []string{""}
	add := func(s patches.Scope) {
		if s.Protocol == protocol {
			platforms, locales = append(platforms, s.Platform), append(locales, s.Locale)
		}
	}
	for _, m := range v.catalogue.Marks {
		add(m.Scope)
	}
	for i := range v.catalogue.Patches {
		add(v.catalogue.Patches[i].Scope)
	}
	slices.Sort(platforms)
	slices.Sort(locales)
	return slices.Compact(platforms), slices.Compact(locales)
}

// scopeText returns a short text for a scope, without the values that are open.
func scopeText(s patches.Scope) string {
	return strings.Join(strings.Fields(s.Protocol.String()+" "+s.Platform+" "+s.Locale), " ")
}
