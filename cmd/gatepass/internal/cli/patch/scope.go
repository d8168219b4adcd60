package patch

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/codec"
	"gatepass/patches"
)

// scopeFlags say for which clients something is meant.
type scopeFlags struct{ protocol, platform, locale string }

func (s *scopeFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.protocol, "protocol", "grunt", "clients of this protocol: grunt, the existing ones, or native")
	f.StringVar(&s.platform, "platform", "", "only clients of this `SYSTEM-ARCH`, such as Win-x86; empty for any")
	f.StringVar(&s.locale, "locale", "", "only clients of this `LOCALE`, such as enUS; empty for any")
}

// The words of existing clients. Native clients have what their game gives them.
func gruntPlatforms() []string {
	return []string{"Win-x86", "Win-x64", "OSX-x86", "OSX-PPC", "OSX-x64"}
}

func gruntLocales() []string {
	return []string{"enUS", "enGB", "frFR", "deDE", "koKR", "zhCN", "zhTW", "ruRU", "esES", "esMX", "ptBR", "ptPT", "itIT"}
}

// scope checks the flags.
func (s *scopeFlags) scope() (patches.Scope, error) {
	protocol, err := patches.ParseProtocol(s.protocol)
	if err != nil {
		return patches.Scope{}, exit.Usage(fmt.Errorf("--protocol: %w", err))
	}
	scope := patches.Scope{Protocol: protocol, Platform: s.platform, Locale: s.locale}
	// What a catalogue takes is the catalogue's to say.
	var trial patches.Catalogue
	if err := trial.Mark(patches.Mark{Scope: scope, Build: 1, Status: patches.StatusCurrent}); err != nil {
		return scope, exit.Usage(err)
	}
	if protocol == codec.ProtocolGrunt {
		err = firstFault(sameCase("--platform", s.platform, gruntPlatforms()), sameCase("--locale", s.locale, gruntLocales()))
	}
	return scope, err
}

// sameCase catches a word that no client says and that looks like one that they do.
func sameCase(flag, word string, known []string) error {
	for _, k := range known {
		if word != k && strings.EqualFold(word, k) {
			return exit.Usage(fmt.Errorf("%s: clients say %s, not %s, and letters' case counts", flag, k, word))
		}
	}
	return nil
}

func firstFault(faults ...error) error {
	for _, err := range faults {
		if err != nil {
			return err
		}
	}
	return nil
}

// clientOf is a client of the build that says what the scope says, and nothing where
// the scope is open: what is meant for one platform or locale does not concern it.
func clientOf(scope patches.Scope, build uint16) patches.Client {
	system, arch, _ := strings.Cut(scope.Platform, "-")
	return patches.Client{Protocol: scope.Protocol, Build: build, System: tag(system), Arch: tag(arch), Locale: tag(scope.Locale)}
}

func tag(word string) (t codec.Tag) {
	copy(t[:], word)
	return t
}

// narrow names the scope behind a build where it is not every client's.
func narrow(s patches.Scope) string {
	if s.Platform == "" && s.Locale == "" {
		return ""
	}
	return " (" + s.String() + ")"
}

// scopeArgs are the flags that mean the scope, for a command to be typed.
func scopeArgs(s patches.Scope) string {
	text := ""
	if s.Protocol != codec.ProtocolGrunt {
		text += " --protocol " + s.Protocol.String()
	}
	if s.Platform != "" {
		text += " --platform " + s.Platform
	}
	if s.Locale != "" {
		text += " --locale " + s.Locale
	}
	return text
}
