package client

import (
	"path/filepath"
	"strings"
	"unicode"

	"gatepass/codec"
)

// partSuffix marks a file that is not whole.
const partSuffix = ".part"

// plainName makes of a name that a server has given one that every system takes for
// a plain file in the folder where it is put: letters, digits and a few signs, no dot
// in front (hidden) or behind (dropped by Windows), no device. What is left of nothing
// is fallback.
func plainName(name, fallback string) string {
	name = strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) || strings.ContainsRune("-_.+()", r) {
			return r
		}
		return '_'
	}, name)
	name = strings.Trim(cut(name, codec.MaxTransferName-1), "._")
	switch {
	case name == "":
		return fallback
	case isDevice(name), strings.HasPrefix(name, "-"): // which commands take for a flag
		return "_" + name
	}
	return name
}

// isDevice tells the names that Windows keeps for devices, whatever stands behind a dot.
func isDevice(name string) bool {
	base, _, _ := strings.Cut(strings.ToUpper(name), ".")
	switch base {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return true
	}
	number, numbered := strings.CutPrefix(base, "COM")
	if !numbered {
		number, numbered = strings.CutPrefix(base, "LPT")
	}
	return numbered && len(number) == 1 && unicode.IsDigit(rune(number[0]))
}

// isPlain judges a name that the caller has given.
func isPlain(name string) bool {
	return name != "" && name != "." && name != ".." && filepath.IsLocal(name) &&
		!strings.ContainsAny(name, `/\:`) && !strings.ContainsRune(name, 0)
}
