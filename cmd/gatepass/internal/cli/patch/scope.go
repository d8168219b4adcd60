package patch

import (
	"fmt"
	"strings"

	"github.com/spf13/pflag"

	"gatepass/cmd/gatepass/internal/exit"
	"gatepass/codec"
	"gatepass/patches"
)

// scopeFlags select the clients that a command applies to.
type scopeFlags struct{ protocol, platform, locale string }

func (s *scopeFlags) register(f *pflag.FlagSet) {
	f.StringVar(&s.protocol, "protocol", "grunt", "clients of this protocol: grunt, the existing ones, or native")
	f.StringVar(&s.platform, "platform", "", "only clients of this `SYSTEM-ARCH`, such as Win-x86; empty for any")
	f.StringVar(&s.locale, "locale", "", "only clients of this `LOCALE`, such as enUS; empty for any")
}

// The platforms of existing clients. Native clients have those of their game.
func gruntPlatforms() []string {
	return []string{"Win-x86", "Win-x64", "OSX-x86", "OSX-PPC", "OSX-x64"}
}

func gruntLocales() []string {
	return []string{"enUS", "enGB", "frFR", "deDE", "koKR", "zhCN", "zhTW", "ruRU", "esES", "esMX", "ptBR", "ptPT", "itIT"}
}

// scope checks the flags and returns the scope.
func (s *scopeFlags) scope() (patches.Scope, error) {
	protocol, err := patches.ParseProtocol(s.protocol)
	if err != nil {
		return patches.Scope{}, exit.Usage(fmt.Errorf("--protocol: %w", err))
	}
	scope := patches.Scope{Protocol: protocol, Platform: s.platform, Locale: s.locale}
	// The catalogue has the rules.
	var trial patches.Catalogue
	if err := trial.Mark(patches.Mark{Scope: scope, Build: 1, Status: patches.StatusCurrent}); err != nil {
		return scope, exit.Usage(err)
	}
	if protocol == codec.ProtocolGrunt {
		err = firstFault(sameCase("--platform", s.platform, gruntPlatforms()), sameCase("--locale", s.locale, gruntLocales()))
	}
	return scope, err
}

// sameCase refuses a word that differs only in case from one that clients send.
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

// clientOf returns a client of the build with the values of the scope. A value that the
// scope leaves open stays empty, so that rules for one platform or locale do not apply.
func clientOf(scope patches.Scope, build uint16) patches.Client {
	system, arch, _ := strings.Cut(scope.Platform, "-")
	return patches.Client{Protocol: scope.Protocol, Build: build, System: tag(system), Arch: tag(arch), Locale: tag(scope.Locale)}
}

func tag(word string) (t codec.Tag) {
	copy(t[:], word)
	return t
}

// narrow returns the scope as text after a build, if it is not the scope of all
// clients.
func narrow(s patches.Scope) string {
	if s.Platform == "" && s.Locale == "" {
		return ""
	}
	return " (" + s.String() + ")"
}

// scopeArgs returns the scope as flags, for a command to type.
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
