package patches

import (
	"cmp"
	"crypto/sha1"
	"slices"

	"gatepass/codec"
)

// makeSet computes the answers for every kind of client. A kind is a protocol, a platform and
// a locale; the platform and the locale are each one of the catalogue's or any other.
func makeSet(c *Catalogue, entries []Entry, d Defaults) *Set {
	platforms, locales := c.tags()
	s := &Set{catalogue: *c, entries: entries, platforms: number(platforms), locales: number(locales), builds: number(buildsOf(c, d))}
	for i := range entries {
		s.counts[entries[i].State()]++
	}
	a := newAnswering(s, d)
	s.answers = make([]*answer, 0, 2*(len(platforms)+1)*(len(locales)+1)*len(a.builds))
	for _, p := range [...]codec.Protocol{codec.ProtocolGrunt, codec.ProtocolNative} {
		for _, platform := range slices.Concat([]string{""}, platforms) {
			for _, locale := range slices.Concat([]string{""}, locales) {
				s.answers = append(s.answers, a.answersFor(Scope{p, platform, locale})...)
			}
		}
	}
	return s
}

// number maps each value to a number from 1 on.
func number[T comparable](all []T) map[T]int {
	numbers := make(map[T]int, len(all))
	for i, one := range all {
		numbers[one] = i + 1
	}
	return numbers
}

// buildsOf returns all builds that have a rule, in order.
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

// answering computes a Set's answers. What does not depend on the kind of client is computed
// once, because there are some hundreds of kinds.
type answering struct {
	set      *Set
	defaults Defaults
	builds   []uint16 // by number; 0 stands for all others
	// rules are all rules of the catalogue and the configuration about builds. A later rule
	// overwrites an earlier one.
	rules []rule
	known map[uint16][]Known // by build
	alike map[answerKey]*answer
}

// rule sets the status of a build for the clients of a scope.
type rule struct {
	Scope
	build int // number of the build
	said
}

func newAnswering(s *Set, d Defaults) *answering {
	a := &answering{set: s, defaults: d, builds: make([]uint16, len(s.builds)+1), known: map[uint16][]Known{}, alike: map[answerKey]*answer{}}
	for build, i := range s.builds {
		a.builds[i] = build
	}
	for _, k := range s.catalogue.Known {
		a.known[k.Build] = append(a.known[k.Build], k)
	}
	a.makeRules()
	return a
}

func (a *answering) makeRules() {
	c := &a.set.catalogue
	say := func(s Scope, build uint16, status Status, why string) {
		a.rules = append(a.rules, rule{s, a.set.builds[build], said{status, why}})
	}
	for i := range c.Patches {
		p := &c.Patches[i]
		say(p.Scope, p.To, StatusAccepted, "patch "+p.ID+" leads to it")
	}
	for i := range c.Patches {
		p := &c.Patches[i]
		say(p.Scope, p.From, StatusUpdate, "patch "+p.ID+" leads from it")
	}
	for _, protocol := range [...]codec.Protocol{codec.ProtocolGrunt, codec.ProtocolNative} {
		s := Scope{Protocol: protocol}
		for _, build := range a.list(s) {
			say(s, build, StatusAccepted, "in the configuration's list")
		}
	}
	marks := slices.Clone(c.Marks)
	slices.SortStableFunc(marks, func(m, n Mark) int { return cmp.Compare(m.weight(), n.weight()) })
	for _, m := range marks {
		say(m.Scope, m.Build, m.Status, "marked for "+m.Scope.String())
	}
}

// answerKey is equal for equal answers.
type answerKey struct {
	status Status
	why    string
	file   *File
	steps  int
	total  uint64
	known  string
}

// answersFor returns the answers for clients of a kind, by the number of their build. The
// platform or locale "" stands for those that the catalogue does not name.
func (a *answering) answersFor(c Scope) []*answer {
	says := a.statuses(c)
	ways := findWays(says, a.steps(c))
	answers := make([]*answer, len(says))
	for i := range says {
		key := answerKey{status: says[i].status, why: says[i].why}
		switch {
		case key.status.letsIn():
			key.known = a.knownOf(c, a.builds[i])
		case ways[i].next != nil:
			key.file, key.steps, key.total = ways[i].next.file, ways[i].steps, ways[i].bytes
		}
		if a.alike[key] == nil {
			a.alike[key] = key.answer()
		}
		answers[i] = a.alike[key]
	}
	return answers
}

func (k *answerKey) answer() *answer {
	v := Verdict{Allowed: k.status.letsIn(), Update: k.file, Steps: k.steps, Total: k.total}
	for known := range slices.Chunk([]byte(k.known), sha1.Size) {
		v.Known = append(v.Known, [sha1.Size]byte(known))
	}
	if k.file != nil {
		o := k.file.Offer
		o.Steps, o.Total = uint32(k.steps), k.total
		v.Offer = &o
	}
	return &answer{v, k.status, k.why}
}

// said is the status of a build, and the reason.
type said struct {
	status Status
	why    string
}

// statuses returns the statuses of the builds for a kind of client, by number.
func (a *answering) statuses(c Scope) []said {
	says := slices.Repeat([]said{a.unsaid(c)}, len(a.builds))
	for i := range a.rules {
		if r := &a.rules[i]; r.covers(c) {
			says[r.build] = r.said
		}
	}
	return says
}

// unsaid returns the status of builds that have no rule.
func (a *answering) unsaid(c Scope) said {
	switch {
	case c.Protocol != codec.ProtocolNative:
		return said{StatusRefused, "nothing is said of it"}
	case len(a.defaults.Native) == 0:
		return said{StatusAccepted, "nothing is said of it, and the configuration has no list"}
	}
	return said{StatusRefused, "it is not in the configuration's list"}
}

func (a *answering) list(c Scope) []uint16 {
	if c.Protocol == codec.ProtocolNative {
		return a.defaults.Native
	}
	return a.defaults.Grunt
}

// steps returns the files for a kind of client: for each step, the file with the most specific
// scope.
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
			s = &step{from: from, to: to, file: e.File}
			best[[2]int{from, to}] = s
			steps = append(steps, s)
		} else if e.Patch.weight() > s.file.patch.weight() {
			s.file = e.File
		}
	}
	return steps
}

// knownOf returns the known hashes of a build for a kind of client, concatenated.
func (a *answering) knownOf(c Scope, build uint16) string {
	var known []byte
	if c.Protocol != codec.ProtocolGrunt {
		return ""
	}
	for _, k := range a.known[build] {
		if k.Platform == "" || k.Platform == c.Platform {
			known = append(known, k.HMAC[:]...)
		}
	}
	return string(known)
}
