package patches

import (
	"errors"
	"fmt"
	"slices"
)

// Catalogue is the data that operators edit. The zero value is empty. Its slices are in the
// order of the file; edits keep that order.
type Catalogue struct {
	Marks   []Mark
	Patches []Patch
	Known   []Known
}

// ErrNotThere means that the entry to remove or to find is not in the catalogue.
var ErrNotThere = errors.New("is not in the catalogue")

// Find returns a patch, or nil if there is none. The patch belongs to the catalogue.
func (c *Catalogue) Find(id string) *Patch {
	for i := range c.Patches {
		if c.Patches[i].ID == id {
			return &c.Patches[i]
		}
	}
	return nil
}

// Add adds a patch and sets its ID. It returns an error if there is a patch for the same
// clients from and to the same builds.
func (c *Catalogue) Add(p Patch) error {
	p.ID = p.MakeID()
	if err := p.validate(); err != nil {
		return err
	}
	if c.Find(p.ID) != nil {
		return fmt.Errorf("patch %s is in the catalogue already: remove it first", p.ID)
	}
	c.Patches = append(c.Patches, p)
	return c.settle()
}

// Remove removes a patch and returns it. It returns ErrNotThere if there is none.
func (c *Catalogue) Remove(id string) (Patch, error) {
	p := c.Find(id)
	if p == nil {
		return Patch{}, fmt.Errorf("patch %s %w", id, ErrNotThere)
	}
	removed := *p
	c.Patches = slices.DeleteFunc(c.Patches, func(p Patch) bool { return p.ID == id })
	return removed, nil
}

// Mark sets the status of a build, in place of an earlier mark.
func (c *Catalogue) Mark(m Mark) error {
	if err := m.validate(); err != nil {
		return err
	}
	c.Marks = slices.DeleteFunc(c.Marks, func(n Mark) bool { return compareMarks(m, n) == 0 })
	c.Marks = append(c.Marks, m)
	return c.settle()
}

// Unmark removes the mark of this scope and build, whatever its status. It returns ErrNotThere
// if there is none.
func (c *Catalogue) Unmark(m Mark) error {
	before := len(c.Marks)
	c.Marks = slices.DeleteFunc(c.Marks, func(n Mark) bool { return compareMarks(m, n) == 0 })
	if len(c.Marks) == before {
		return fmt.Errorf("a mark of %s %w", m, ErrNotThere)
	}
	return nil
}

// SetKnown adds a known hash of clients' files. A build and platform may have several, because
// different clients are in use. Existing hashes stay.
func (c *Catalogue) SetKnown(k Known) error {
	if err := k.validate(); err != nil {
		return err
	}
	if !slices.Contains(c.Known, k) {
		c.Known = append(c.Known, k)
	}
	return c.settle()
}

// RemoveKnown removes all known hashes of the build and platform, which ends the check for
// them. It returns ErrNotThere if there are none.
func (c *Catalogue) RemoveKnown(build uint16, platform string) error {
	before := len(c.Known)
	c.Known = slices.DeleteFunc(c.Known, func(k Known) bool { return k.Build == build && k.Platform == platform })
	if len(c.Known) == before {
		return fmt.Errorf("anything known of %s %w", Known{Build: build, Platform: platform}, ErrNotThere)
	}
	return nil
}

// settle sorts all slices and checks their limits.
func (c *Catalogue) settle() error {
	slices.SortFunc(c.Marks, compareMarks)
	slices.SortFunc(c.Patches, comparePatches)
	slices.SortFunc(c.Known, compareKnown)
	platforms, locales := c.tags()
	for _, count := range [...]struct {
		what    string
		is, max int
	}{
		{"marks", len(c.Marks), maxMarks}, {"patches", len(c.Patches), maxPatches}, {"known files", len(c.Known), maxKnown},
		{"platforms", len(platforms), maxPlatforms}, {"locales", len(locales), maxLocales},
	} {
		if count.is > count.max {
			return fmt.Errorf("a catalogue has at most %d %s", count.max, count.what)
		}
	}
	return c.countKnown()
}

// countKnown requires that everything is sorted.
func (c *Catalogue) countKnown() error {
	for i := maxKnownEach; i < len(c.Known); i++ {
		if first, k := c.Known[i-maxKnownEach], c.Known[i]; first.Build == k.Build && first.Platform == k.Platform {
			return fmt.Errorf("at most %d hashes may be known for %s: each is compared at each login; remove those that no client shows", maxKnownEach, k)
		}
	}
	return nil
}

// validate checks all data that comes from outside. A duplicate is an error.
func (c *Catalogue) validate() error {
	errs := make([]error, 0, 1)
	for i := range c.Marks {
		errs = append(errs, c.Marks[i].validate())
	}
	for i := range c.Patches {
		errs = append(errs, c.Patches[i].validate())
	}
	for i := range c.Known {
		errs = append(errs, c.Known[i].validate())
	}
	return errors.Join(append(errs, c.settle(), c.findDouble())...)
}

// findDouble requires that everything is sorted.
func (c *Catalogue) findDouble() error {
	for i := 1; i < len(c.Marks); i++ {
		if compareMarks(c.Marks[i-1], c.Marks[i]) == 0 {
			return fmt.Errorf("%s is marked twice", c.Marks[i])
		}
	}
	for i := 1; i < len(c.Patches); i++ {
		if comparePatches(c.Patches[i-1], c.Patches[i]) == 0 {
			return fmt.Errorf("patch %s is there twice", c.Patches[i].ID)
		}
	}
	return nil
}

// tags returns the platforms and locales that the catalogue names, in order.
func (c *Catalogue) tags() (platforms, locales []string) {
	add := func(to []string, tag string) []string {
		at, found := slices.BinarySearch(to, tag)
		if found || tag == "" {
			return to
		}
		return slices.Insert(to, at, tag)
	}
	for i := range c.Marks {
		platforms, locales = add(platforms, c.Marks[i].Platform), add(locales, c.Marks[i].Locale)
	}
	for i := range c.Patches {
		platforms, locales = add(platforms, c.Patches[i].Platform), add(locales, c.Patches[i].Locale)
	}
	for i := range c.Known {
		platforms = add(platforms, c.Known[i].Platform)
	}
	return platforms, locales
}
