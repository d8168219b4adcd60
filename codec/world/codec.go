package world

import (
	"fmt"
	"slices"
)

// Options configure a Codec.
type Options struct {
	// Builds are the client builds that the gate accepts, at least one. They must be of one
	// era, because the gate speaks first, before it knows the client's build. Of other clients
	// only name and build are read, so that the gate can tell them that their build is wrong.
	Builds []uint16
}

// Validate returns an ErrBuilds if the builds are not valid.
func (o *Options) Validate() error {
	if len(o.Builds) == 0 {
		return fmt.Errorf("%w: none is given", ErrBuilds)
	}
	for _, b := range o.Builds {
		switch e := EraOf(b); e {
		case 0:
			return fmt.Errorf("%w: the layouts of build %d are not known", ErrBuilds, b)
		case EraOf(o.Builds[0]):
		default:
			return fmt.Errorf("%w: %d is of %v, %d of %v", ErrBuilds, o.Builds[0], EraOf(o.Builds[0]), b, e)
		}
	}
	return nil
}

// Codec makes sessions. It is immutable and may be used from any goroutine.
type Codec struct {
	era    Era
	builds []uint16
}

// New returns a Codec, or the error of Validate.
func New(o Options) (*Codec, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Codec{era: EraOf(o.Builds[0]), builds: slices.Clone(o.Builds)}, nil
}

// Era returns the era of the gate.
func (c *Codec) Era() Era { return c.era }

// Takes reports whether the gate accepts a build.
func (c *Codec) Takes(build uint16) bool { return slices.Contains(c.builds, build) }

// Open returns the Session of a new connection.
func (c *Codec) Open() *Session { return &Session{codec: c, phase: phaseStart} }
