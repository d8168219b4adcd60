package patches

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"gatepass/codec"
)

// Status is the decision about clients of a build.
type Status uint8

const (
	// StatusUnknown: the build has no rule. No mark has this status.
	StatusUnknown Status = iota
	// StatusCurrent: clients may log in; updates lead to this build.
	StatusCurrent
	// StatusAccepted: clients may log in.
	StatusAccepted
	// StatusUpdate: clients may not log in and get an update.
	StatusUpdate
	// StatusRefused: clients may not log in.
	StatusRefused
	statusCount
)

var statusNames = [statusCount]string{"unknown", "current", "accepted", "update", "refused"}

func (s Status) String() string {
	if s < statusCount {
		return statusNames[s]
	}
	return fmt.Sprintf("status(%d)", uint8(s))
}

// letsIn returns whether clients of such a build may log in.
func (s Status) letsIn() bool { return s == StatusCurrent || s == StatusAccepted }

// ParseStatus is the reverse of String. It returns an error for "unknown", which cannot be
// set.
func ParseStatus(text string) (Status, error) {
	for s := StatusCurrent; s < statusCount; s++ {
		if text == statusNames[s] {
			return s, nil
		}
	}
	return StatusUnknown, fmt.Errorf("%q is no status; there are %s", text, strings.Join(statusNames[StatusCurrent:], ", "))
}

// ParseProtocol returns the protocol of that name. The protocols that have builds are "grunt"
// and "native".
func ParseProtocol(text string) (codec.Protocol, error) {
	for _, p := range [...]codec.Protocol{codec.ProtocolGrunt, codec.ProtocolNative} {
		if text == p.String() {
			return p, nil
		}
	}
	return 0, fmt.Errorf("%q is no protocol with builds; there are grunt and native", text)
}

// Scope says to which clients a rule applies.
type Scope struct {
	// Protocol is ProtocolGrunt or ProtocolNative.
	Protocol codec.Protocol
	// Platform is SYSTEM-ARCH in the clients' own tags of at most 4 bytes each, such as
	// "Win-x86". Locale is such as "enUS". Both are case-sensitive. "" means any.
	Platform, Locale string
}

// Matches returns whether the scope includes the client. The client's build does not matter.
func (s Scope) Matches(c Client) bool {
	return s.Protocol == c.Protocol && (s.Platform == "" || s.Platform == c.Platform()) && (s.Locale == "" || s.Locale == c.Locale.String())
}

// covers returns whether the scope includes all clients of t.
func (s Scope) covers(t Scope) bool {
	return s.Protocol == t.Protocol && (s.Platform == "" || s.Platform == t.Platform) && (s.Locale == "" || s.Locale == t.Locale)
}

// String returns a text for people, such as "grunt, Win-x86, any locale".
func (s Scope) String() string {
	return s.Protocol.String() + ", " + cmp.Or(s.Platform, "any platform") + ", " + cmp.Or(s.Locale, "any locale")
}

// weight orders scopes that match the same client. A larger weight is more specific.
func (s Scope) weight() int {
	w := 0
	if s.Platform != "" {
		w += 2
	}
	if s.Locale != "" {
		w++
	}
	return w
}

func (s Scope) validate() error {
	if s.Protocol != codec.ProtocolGrunt && s.Protocol != codec.ProtocolNative {
		return fmt.Errorf("protocol %s has no builds; there are grunt and native", s.Protocol)
	}
	if err := validatePlatform(s.Platform); err != nil {
		return err
	}
	if s.Locale != "" && !isTag(s.Locale) {
		return fmt.Errorf("locale %q is not 1 to %d letters and digits, such as enUS", s.Locale, maxTag)
	}
	return nil
}

func validatePlatform(platform string) error {
	system, arch, _ := strings.Cut(platform, "-")
	if platform != "" && (!isTag(system) || !isTag(arch)) {
		return fmt.Errorf("platform %q is not a system and an architecture of 1 to %d letters and digits, such as Win-x86", platform, maxTag)
	}
	return nil
}

func isTag(s string) bool {
	for _, b := range []byte(s) {
		if b < '0' || b > 'z' || b > '9' && b < 'A' || b > 'Z' && b < 'a' {
			return false
		}
	}
	return s != "" && len(s) <= maxTag
}

func compareScopes(a, b Scope) int {
	return cmp.Or(cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.Platform, b.Platform), cmp.Compare(a.Locale, b.Locale))
}

// Mark sets the status of a build for some clients.
type Mark struct {
	Scope
	// Build is 1 … 65535.
	Build  uint16
	Status Status
}

func (m Mark) String() string { return fmt.Sprintf("build %d (%s)", m.Build, m.Scope) }

func (m Mark) validate() error {
	if m.Build == 0 {
		return errNoBuild
	}
	if m.Status == StatusUnknown || m.Status >= statusCount {
		return fmt.Errorf("%s: %s is no status of a mark", m, m.Status)
	}
	return m.Scope.validate()
}

func compareMarks(a, b Mark) int {
	return cmp.Or(cmp.Compare(a.Build, b.Build), compareScopes(a.Scope, b.Scope))
}

// Known is a hash of the files of an unmodified client of the grunt protocol.
type Known struct {
	// Build is 1 … 65535.
	Build uint16
	// Platform is as in Scope.
	Platform string
	// HMAC is the result of FilesHMAC.
	HMAC [20]byte
}

func (k Known) String() string {
	return fmt.Sprintf("build %d (%s)", k.Build, cmp.Or(k.Platform, "any platform"))
}

func (k Known) validate() error {
	if k.Build == 0 {
		return errNoBuild
	}
	return validatePlatform(k.Platform)
}

func compareKnown(a, b Known) int {
	return cmp.Or(cmp.Compare(a.Build, b.Build), cmp.Compare(a.Platform, b.Platform), bytes.Compare(a.HMAC[:], b.HMAC[:]))
}
