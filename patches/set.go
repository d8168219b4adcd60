package patches

import (
	"errors"
	"slices"

	"gatepass/codec"
)

// Client is what a client reports about itself.
type Client struct {
	Protocol codec.Protocol
	// Build is 1 … 65535.
	Build uint16
	// System and Arch are the two parts of a platform, such as "Win" and "x86".
	System, Arch, Locale codec.Tag
}

// Platform is SYSTEM-ARCH, as in a Scope.
func (c *Client) Platform() string { return c.System.String() + "-" + c.Arch.String() }

// Verdict is the decision about a client. It belongs to the Set: nothing that it points to may
// be changed.
type Verdict struct {
	// Allowed says that clients of the build may log in.
	Allowed bool
	// Update is the first file of the best path to a build that may log in. It is nil if the
	// client may log in or if there is no path.
	Update *File
	// Offer is the message about Update for a native client: the Offer of the File, but with
	// Steps and Total. It is nil if Update is nil.
	Offer *codec.UpdateOffer
	// Steps is the number of files of the path, Total their size in bytes.
	Steps int
	Total uint64
	// Known are the proofs of unmodified files, made with IntegritySalt. A client of an
	// allowed build must show one of them. If Known is empty, there is no check.
	Known [][20]byte
}

// Defaults are the configuration's lists of builds that may log in without a mark.
type Defaults struct {
	Grunt, Native []uint16
}

// Set is a catalogue with its files open. It never changes. All methods may be called
// anywhere. The nil Set has no builds.
type Set struct {
	catalogue Catalogue
	entries   []Entry
	counts    [StateCount]int
	// seen and fault are for the Watcher that continues from this Set.
	seen  stamp
	fault error
	// These maps give the indexes into answers. A value that is not in a map has the number 0,
	// which stands for everything that the catalogue does not name.
	builds    map[uint16]int
	platforms map[string]int
	locales   map[string]int
	// answers is one table for each protocol, with an entry for each platform, locale and
	// build in it. Each of these three has one entry more than its map. Equal answers share
	// one value.
	answers []*answer
}

// answer is the result for one build and one kind of client, and the reason.
type answer struct {
	verdict Verdict
	status  Status
	why     string
}

// Entry is a patch and its file in a Set.
type Entry struct {
	Patch Patch
	// File is nil if the patch is not offered; Err then gives the reason.
	File *File
	Err  error
}

// State returns the state of the patch's file, as far as the file was checked.
func (e *Entry) State() State { return stateOf(e.Err) }

// NewSet returns a Set without a catalogue.
func NewSet(d Defaults) *Set { return makeSet(&Catalogue{}, nil, d) }

// Open reads the folder's catalogue and opens its files. It returns a Set, which is never nil,
// without the patches that cannot be offered, and an error for each of those. Open does not
// read the files: a file whose time differs from the recorded one is left out until a Watcher
// has read it.
func Open(dir string, d Defaults) (*Set, []error) {
	seen, err := stampCatalogue(dir) // before the read: a later change will show
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

// Entries returns all patches of the catalogue, in its order.
func (s *Set) Entries() []Entry {
	if s == nil {
		return nil
	}
	return slices.Clone(s.entries)
}

// Counts returns how many patches of the catalogue are in each state.
func (s *Set) Counts() [StateCount]int {
	if s == nil {
		return [StateCount]int{}
	}
	return s.counts
}

// Fault returns the error of reading the catalogue, or nil if it was read or does not exist.
// After an error the Set has no rules: it is not known which clients to refuse.
func (s *Set) Fault() error {
	if s == nil {
		return nil
	}
	return s.fault
}

// Files returns the files that are offered.
func (s *Set) Files() (files []*File) {
	for _, e := range s.Entries() {
		if e.File != nil {
			files = append(files, e.File)
		}
	}
	return files
}

// Judge returns the decision about a client. It allocates nothing.
func (s *Set) Judge(c Client) Verdict {
	if a := s.answer(&c); a != nil {
		return a.verdict
	}
	return Verdict{}
}

// Explain returns the status of the client's build. why names the rule, for people, such as
// "marked for native, Win-x64, any locale".
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

// text returns a tag without its trailing zeros.
func text(t *codec.Tag) []byte {
	n := 0
	for n < len(t) && t[n] != 0 {
		n++
	}
	return t[:n]
}
