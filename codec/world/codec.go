package world

import (
	"fmt"
	"slices"
)

// Options set a Codec up.
type Options struct {
	// Builds are the client builds that the gate takes, at least one. They are of
	// one era: the gate speaks first, before it knows who is there. Others are
	// read as far as their name and build, so that they can be told.
	Builds []uint16
}

// Validate reports what is wrong with the builds as an ErrBuilds.
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

// Codec opens sessions. It is immutable and may be used from any goroutine.
type Codec struct {
	era    Era
	builds []uint16
}

// New makes a Codec, or reports what Validate does.
func New(o Options) (*Codec, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	return &Codec{era: EraOf(o.Builds[0]), builds: slices.Clone(o.Builds)}, nil
}

// Era is the era that the gate speaks.
func (c *Codec) Era() Era { return c.era }

// Takes tells whether a build is among the gate's.
func (c *Codec) Takes(build uint16) bool { return slices.Contains(c.builds, build) }

// Open starts the protocol for one connection.
func (c *Codec) Open() *Session { return &Session{codec: c, phase: phaseStart} }
