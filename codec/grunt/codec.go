package grunt

// Options configure a Codec. The zero value is right for servers.
type Options struct {
	// MaxSurvey is the maximum length of an answer to a survey, in compressed bytes; 0 means
	// DefaultMaxSurvey. A longer one is a violation as soon as its size field is there.
	MaxSurvey uint16
}

// Codec opens sessions. It is immutable and may be used from any goroutine.
type Codec struct {
	opts Options
}

// New returns a Codec.
func New(o Options) *Codec {
	if o.MaxSurvey == 0 {
		o.MaxSurvey = DefaultMaxSurvey
	}
	return &Codec{opts: o}
}

// Open returns the Session of a new connection.
func (c *Codec) Open() *Session { return &Session{codec: c, phase: phaseStart} }

// MaxMessage returns the length of the longest message of a client in bytes. If that many
// bytes are undecoded, Decode does not return codec.ErrShort.
func (c *Codec) MaxMessage() int {
	return max(maxProof, surveyHead+int(c.opts.MaxSurvey))
}
