package patches

import (
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
	entries []Entry
	// The columns, rows and layers of the answers. Whatever is not in one of these maps
	// has the number 0, which is what the catalogue says nothing of.
	builds    map[uint16]int
	platforms map[string]int
	locales   map[string]int
	// answers has len(builds)+1 of them for each kind of client.
	answers []*Verdict
}

// Entry is a patch as a Set has it.
type Entry struct {
	Patch Patch
	// File is nil if the patch is not offered, and Err says why.
	File *File
	Err  error
}

// NewSet is a Set without a catalogue.
func NewSet(d Defaults) *Set { return makeSet(&Catalogue{}, nil, d) }

// Open reads the catalogue of the folder and opens the files. What cannot be offered is
// left out of the Set, which is never nil, and is an error. Files are not read: one
// whose time is not as recorded is left out until a Watcher has read it.
func Open(dir string, d Defaults) (*Set, []error) {
	c, err := Load(dir)
	if err != nil {
		return NewSet(d), []error{err}
	}
	entries := make([]Entry, len(c.Patches))
	var errs []error
	for i := range c.Patches {
		entries[i] = Entry{Patch: c.Patches[i]}
		f, err := openFile(dir, &c.Patches[i])
		if err != nil {
			entries[i].Err = err
			errs = append(errs, err)
			continue
		}
		entries[i].File = f
	}
	return makeSet(&c, entries, d), errs
}

// Entries are all patches of the catalogue, in its order.
func (s *Set) Entries() []Entry {
	if s == nil {
		return nil
	}
	return slices.Clone(s.entries)
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
	if s == nil {
		return Verdict{}
	}
	var key [2*maxTag + 1]byte
	n := copy(key[:], text(&c.System))
	key[n] = '-'
	n += 1 + copy(key[n+1:], text(&c.Arch))
	return s.answer(c.Protocol, c.Build, s.platforms[string(key[:n])], s.locales[string(text(&c.Locale))])
}

// text is a tag without the zeros behind it.
func text(t *codec.Tag) []byte {
	n := 0
	for n < len(t) && t[n] != 0 {
		n++
	}
	return t[:n]
}

func (s *Set) answer(p codec.Protocol, build uint16, platform, locale int) Verdict {
	kind := s.kind(p, platform, locale)
	if kind < 0 {
		return Verdict{}
	}
	return *s.answers[kind*(len(s.builds)+1)+s.builds[build]]
}

// kind numbers the kinds of clients; below 0 for a protocol that has no builds.
func (s *Set) kind(p codec.Protocol, platform, locale int) int {
	if p != codec.ProtocolGrunt && p != codec.ProtocolNative {
		return -1
	}
	return (int(p)*(len(s.platforms)+1)+platform)*(len(s.locales)+1) + locale
}
