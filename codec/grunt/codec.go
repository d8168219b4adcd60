package grunt

// Options set a Codec up. The zero value is what servers want.
type Options struct {
	// MaxSurvey is the longest answer to a survey in compressed bytes; 0 means
	// DefaultMaxSurvey. A longer one is a violation at its size field.
	MaxSurvey uint16
}

// Codec opens sessions. It is immutable and may be used from any goroutine.
type Codec struct {
	opts Options
}

// New makes a Codec.
func New(o Options) *Codec {
	if o.MaxSurvey == 0 {
		o.MaxSurvey = DefaultMaxSurvey
	}
	return &Codec{opts: o}
}

// Open starts the protocol for one connection.
func (c *Codec) Open() *Session { return &Session{codec: c, phase: phaseStart} }

// MaxMessage is the length of the longest message of a client in bytes. When so
// many bytes wait undecoded, Decode does not return codec.ErrShort.
func (c *Codec) MaxMessage() int {
	return max(maxProof, surveyHead+int(c.opts.MaxSurvey))
}
