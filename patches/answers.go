package patches

import (
	"slices"

	"gatepass/codec"
)

// makeSet works out what every kind of client is told. A kind is a protocol with one of
// the catalogue's platforms, or any other one, and one of its locales, or any other.
func makeSet(c *Catalogue, entries []Entry, d Defaults) *Set {
	platforms, locales := c.tags()
	s := &Set{entries: entries, platforms: number(platforms), locales: number(locales), builds: number(buildsOf(c, d))}
	a := &answering{
		set: s, catalogue: c, defaults: d, builds: make([]uint16, len(s.builds)+1),
		offers: map[offerKey]*codec.UpdateOffer{},
	}
	for build, i := range s.builds {
		a.builds[i] = build
	}
	for _, p := range [...]codec.Protocol{codec.ProtocolGrunt, codec.ProtocolNative} {
		for _, platform := range slices.Concat([]string{""}, platforms) {
			for _, locale := range slices.Concat([]string{""}, locales) {
				s.answers = append(s.answers, a.answer(Scope{p, platform, locale})...)
			}
		}
	}
	return s
}

// number gives each a number from 1 on.
func number[T comparable](all []T) map[T]int {
	numbers := make(map[T]int, len(all))
	for i, one := range all {
		numbers[one] = i + 1
	}
	return numbers
}

// buildsOf are all that anything is said of, in order.
func buildsOf(c *Catalogue, d Defaults) []uint16 {
	all := slices.Concat(d.Grunt, d.Native)
	for i := range c.Marks {
		all = append(all, c.Marks[i].Build)
	}
	for i := range c.Patches {
		all = append(all, c.Patches[i].From, c.Patches[i].To)
	}
	for i := range c.Known {
		all = append(all, c.Known[i].Build)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// answering makes a Set's answers.
type answering struct {
	set       *Set
	catalogue *Catalogue
	defaults  Defaults
	builds    []uint16 // by number; 0 is all others
	offers    map[offerKey]*codec.UpdateOffer
}

type offerKey struct {
	file  *File
	steps int
	total uint64
}

// answer is what clients like this one are told, by their build's number. The platform
// and locale "" are those that the catalogue does not name.
func (a *answering) answer(c Scope) []*Verdict {
	statuses := a.statuses(c)
	ways := findWays(statuses, a.steps(c))
	verdicts := make([]*Verdict, len(a.builds))
	for i, status := range statuses {
		v := &Verdict{}
		switch {
		case status.letsIn():
			v.Allowed = true
			v.Known = a.known(c, a.builds[i])
		case status == StatusUpdate && ways[i].next != nil:
			v.Update, v.Steps, v.Total = ways[i].next.file, ways[i].steps, ways[i].bytes
			v.Offer = a.offer(v)
		}
		verdicts[i] = v
	}
	return verdicts
}

// statuses are those of the builds for such a client, by number. Each rule is
// overwritten by the ones above it.
func (a *answering) statuses(c Scope) []Status {
	list := a.defaults.Grunt
	fallback := StatusRefused
	if c.Protocol == codec.ProtocolNative {
		list = a.defaults.Native
		if len(list) == 0 {
			fallback = StatusAccepted
		}
	}
	statuses := slices.Repeat([]Status{fallback}, len(a.builds))
	for i := range a.catalogue.Patches {
		if p := &a.catalogue.Patches[i]; p.covers(c) {
			statuses[a.set.builds[p.To]] = StatusAccepted
		}
	}
	for i := range a.catalogue.Patches {
		if p := &a.catalogue.Patches[i]; p.covers(c) {
			statuses[a.set.builds[p.From]] = StatusUpdate
		}
	}
	for _, build := range list {
		statuses[a.set.builds[build]] = StatusAccepted
	}
	weights := make([]int, len(a.builds))
	for _, m := range a.catalogue.Marks {
		if i := a.set.builds[m.Build]; m.covers(c) && m.weight() >= weights[i] {
			statuses[i], weights[i] = m.Status, m.weight()
		}
	}
	return statuses
}

// steps are the files for such a client: of each step the one most narrowly made for it.
func (a *answering) steps(c Scope) []*step {
	best := map[[2]int]*step{}
	var steps []*step
	for i := range a.set.entries {
		e := &a.set.entries[i]
		if e.File == nil || !e.Patch.covers(c) {
			continue
		}
		from, to := a.set.builds[e.Patch.From], a.set.builds[e.Patch.To]
		s := best[[2]int{from, to}]
		if s == nil {
			s = &step{from: from, to: to}
			best[[2]int{from, to}] = s
			steps = append(steps, s)
		}
		if s.file == nil || e.Patch.weight() > s.file.patch.weight() {
			s.file = e.File
		}
	}
	return steps
}

func (a *answering) known(c Scope, build uint16) (known [][20]byte) {
	if c.Protocol != codec.ProtocolGrunt {
		return nil
	}
	for _, k := range a.catalogue.Known {
		if k.Build == build && (k.Platform == "" || k.Platform == c.Platform) {
			known = append(known, k.HMAC)
		}
	}
	return known
}

func (a *answering) offer(v *Verdict) *codec.UpdateOffer {
	key := offerKey{v.Update, v.Steps, v.Total}
	if a.offers[key] == nil {
		o := v.Update.Offer
		o.Steps, o.Total = uint32(v.Steps), v.Total
		a.offers[key] = &o
	}
	return a.offers[key]
}
