package patches

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/codec"
)

// TestSet_Judge runs the scripts of testdata/judge.
//
//	catalogue
//	list PROTOCOL BUILD…
//	mark PROTOCOL BUILD STATUS [PLATFORM] [LOCALE]
//	patch PROTOCOL FROM TO SIZE [PLATFORM] [LOCALE] [missing]
//	known BUILD BYTE [PLATFORM]
//
// The command catalogue, with these lines, begins a new catalogue. After it, the command
// judge has a line for each client: PROTOCOL BUILD [PLATFORM] [LOCALE]. "-" means any.
func TestSet_Judge(t *testing.T) {
	datadriven.Walk(t, "testdata/judge", func(t *testing.T, path string) {
		s := &script{}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			out := new(strings.Builder)
			if d.Cmd == "catalogue" {
				*s = script{}
			}
			for _, line := range strings.Split(strings.TrimSpace(d.Input), "\n") {
				if fields := strings.Fields(line); d.Cmd == "catalogue" {
					if err := s.add(fields); err != nil {
						fmt.Fprintf(out, "%s: %v\n", line, err)
					}
				} else {
					fmt.Fprintf(out, "%s: %s\n", line, s.judge(fields))
				}
			}
			if d.Cmd == "catalogue" {
				must(t, s.catalogue.validate())
				s.set = makeSet(&s.catalogue, s.entries(), s.defaults)
			}
			return out.String()
		})
	})
}

type script struct {
	catalogue Catalogue
	missing   map[string]bool
	defaults  Defaults
	set       *Set
}

func (s *script) add(f []string) error {
	switch f[0] {
	case "list":
		for _, build := range f[2:] {
			if f[1] == "grunt" {
				s.defaults.Grunt = append(s.defaults.Grunt, number16(build))
			} else {
				s.defaults.Native = append(s.defaults.Native, number16(build))
			}
		}
	case "mark":
		status, err := ParseStatus(f[3])
		if err != nil {
			return err
		}
		return s.catalogue.Mark(Mark{scopeOf(f[1], f[4:]), number16(f[2]), status})
	case "patch":
		p := madeUp(Patch{Scope: scopeOf(f[1], f[5:]), From: number16(f[2]), To: number16(f[3])}, uint64(number16(f[4])))
		if f[len(f)-1] == "missing" {
			if s.missing == nil {
				s.missing = map[string]bool{}
			}
			s.missing[p.ID] = true
		}
		return s.catalogue.Add(p)
	case "known":
		return s.catalogue.SetKnown(Known{Build: number16(f[1]), HMAC: [20]byte{byte(number16(f[2]))}, Platform: word(f[3:], 0)})
	default:
		return fmt.Errorf("what is %q?", f[0])
	}
	return nil
}

func (s *script) entries() []Entry {
	var entries []Entry
	for i := range s.catalogue.Patches {
		e := Entry{Patch: s.catalogue.Patches[i]}
		if !s.missing[e.Patch.ID] {
			e.File = newFile(&e.Patch, nil, stamp{})
		}
		entries = append(entries, e)
	}
	return entries
}

func (s *script) judge(f []string) string {
	scope := scopeOf(f[0], f[2:])
	c := client(scope.Protocol, number16(f[1]), scope.Platform, scope.Locale)
	v := s.set.Judge(c)
	status, why := s.set.Explain(c)
	why = fmt.Sprintf(" (%s: %s)", status, why)
	switch {
	case v.Allowed && len(v.Known) > 0:
		known := []string{}
		for _, k := range v.Known {
			known = append(known, strconv.Itoa(int(k[0])))
		}
		return "let in with files " + strings.Join(known, " or ") + why
	case v.Allowed:
		return "let in" + why
	case v.Update == nil:
		return "refused" + why
	}
	if v.Offer.Steps != uint32(v.Steps) || v.Offer.Total != v.Total || v.Offer.SHA256 != v.Update.Offer.SHA256 {
		return "the offer is wrong"
	}
	return fmt.Sprintf("%s, the first of %d with %d bytes", v.Update.ID, v.Steps, v.Total) + why
}

func scopeOf(protocol string, f []string) Scope {
	p, err := ParseProtocol(protocol)
	if err != nil {
		p = codec.ProtocolWorld
	}
	return Scope{p, word(f, 0), word(f, 1)}
}

func word(f []string, i int) string {
	if i < len(f) && f[i] != "-" && f[i] != "missing" {
		return f[i]
	}
	return ""
}

func number16(text string) uint16 {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		panic(err)
	}
	return uint16(n)
}
