package patches

import (
	"errors"
	"slices"

	"gatepass/codec"
)

// Client is what a client says it runs.
type Client struct {
	Protocol codec.Protocol
	// Build is 1 … 65535.
	Build uint16
	// System and Arch are the two parts of a platform, such as "Win" and "x86".
	System, Arch, Locale codec.Tag
}

// Platform is SYSTEM-ARCH, as in a Scope.
func (c *Client) Platform() string { return c.System.String() + "-" + c.Arch.String() }

// Verdict says what is to become of a client. It is the Set's: nothing that it points to
// may be changed.
type Verdict struct {
	// Allowed: its build is let in.
	Allowed bool
	// Update is the first file of the best way to a build that is let in; nil where the
	// client is let in or there is no way.
	Update *File
	// Offer is what a native client is told of Update: its File's Offer, but with Steps
	// and Total. Nil where Update is.
	Offer *codec.UpdateOffer
	// Steps is how many files the way has, Total their size in bytes.
	Steps int
	Total uint64
	// Known are the proofs of files that were not tampered with, made with
	// IntegritySalt, one of which a client of a build that is let in must show; empty
	// for no check.
	Known [][20]byte
}

// Defaults are the configuration's lists of builds that are let in without a mark.
type Defaults struct {
	Grunt, Native []uint16
}

// Set is a catalogue with its files open. It never changes. All methods may be called
// anywhere; the nil Set knows no build.
type Set struct {
	catalogue Catalogue
	entries   []Entry
	counts    [StateCount]int
	// seen and fault are for the Watcher that goes on from here.
	seen  stamp
	fault error
	// The columns, rows and layers of the answers. Whatever is not in one of these maps
	// has the number 0, which is what the catalogue says nothing of.
	builds    map[uint16]int
	platforms map[string]int
	locales   map[string]int
	// answers is one table for each protocol, in it for each platform, each locale, each
	// build; every one of these has one more than its map. Those alike are one.
	answers []*answer
}

// answer is what is said of a build to one kind of client, and why.
type answer struct {
	verdict Verdict
	status  Status
	why     string
}

// Entry is a patch as a Set has it.
type Entry struct {
	Patch Patch
	// File is nil if the patch is not offered, and Err says why.
	File *File
	Err  error
}

// State is how the patch's file is, as far as it was looked at.
func (e *Entry) State() State { return stateOf(e.Err) }

// NewSet is a Set without a catalogue.
func NewSet(d Defaults) *Set { return makeSet(&Catalogue{}, nil, d) }

// Open reads the catalogue of the folder and opens the files. What cannot be offered is
// left out of the Set, which is never nil, and is an error. Files are not read: one
// whose time is not as recorded is left out until a Watcher has read it.
func Open(dir string, d Defaults) (*Set, []error) {
	seen, err := stampCatalogue(dir) // before it is read: a later change will show
	c, err2 := Load(dir)
	if err = errors.Join(err, err2); err != nil {
		s := NewSet(d)
		s.fault = err
		return s, []error{err}
	}
	entries := make([]Entry, len(c.Patches))
	var errs []error
	for i := range c.Patches {
		entries[i].Patch = c.Patches[i]
		f, err := openFile(dir, &c.Patches[i])
		if err != nil {
			entries[i].Err = err
			errs = append(errs, err)
			continue
		}
		entries[i].File = f
	}
	s := makeSet(&c, entries, d)
	s.seen = seen
	return s, errs
}

// Entries are all patches of the catalogue, in its order.
func (s *Set) Entries() []Entry {
	if s == nil {
		return nil
	}
	return slices.Clone(s.entries)
}

// Counts is how many patches of the catalogue are in each state.
func (s *Set) Counts() [StateCount]int {
	if s == nil {
		return [StateCount]int{}
	}
	return s.counts
}

// Fault is what Open found wrong with the catalogue itself, of which the Set then has
// nothing: it is not known who is to be refused. Nil if it was read, or if there is none.
func (s *Set) Fault() error {
	if s == nil {
		return nil
	}
	return s.fault
}

// Files are those that are offered.
func (s *Set) Files() (files []*File) {
	for _, e := range s.Entries() {
		if e.File != nil {
			files = append(files, e.File)
		}
	}
	return files
}

// Judge says what is to become of a client. It allocates nothing.
func (s *Set) Judge(c Client) Verdict {
	if a := s.answer(&c); a != nil {
		return a.verdict
	}
	return Verdict{}
}

// Explain gives the status of the client's build, and for people which rule it comes
// from, such as "marked for native, Win-x64, any locale".
func (s *Set) Explain(c Client) (status Status, why string) {
	if a := s.answer(&c); a != nil {
		return a.status, a.why
	}
	return StatusRefused, "the protocol has no builds"
}

func (s *Set) answer(c *Client) *answer {
	if s == nil || c.Protocol != codec.ProtocolGrunt && c.Protocol != codec.ProtocolNative {
		return nil
	}
	var key [2*maxTag + 1]byte
	n := copy(key[:], text(&c.System))
	key[n] = '-'
	n += 1 + copy(key[n+1:], text(&c.Arch))
	at := int(c.Protocol)
	at = at*(len(s.platforms)+1) + s.platforms[string(key[:n])]
	at = at*(len(s.locales)+1) + s.locales[string(text(&c.Locale))]
	at = at*(len(s.builds)+1) + s.builds[c.Build]
	return s.answers[at]
}

// text is a tag without the zeros behind it.
func text(t *codec.Tag) []byte {
	n := 0
	for n < len(t) && t[n] != 0 {
		n++
	}
	return t[:n]
}
