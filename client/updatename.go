package client

import (
	"path/filepath"
	"strings"
	"unicode"

	"gatepass/codec"
)

// partSuffix marks an incomplete file.
const partSuffix = ".part"

// plainName changes a name from a server so that on every system it is a plain file in its
// folder: only letters, digits and a few signs, no dot at the start (hidden) or at the end
// (removed by Windows), no device. It returns fallback if nothing is left.
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
	case isDevice(name), strings.HasPrefix(name, "-"): // commands would read it as a flag
		return "_" + name
	}
	return name
}

// isDevice reports whether Windows reserves the name for a device, with any extension.
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

// isPlain reports whether a name from the caller is a plain file name.
func isPlain(name string) bool {
	return name != "" && name != "." && name != ".." && filepath.IsLocal(name) &&
		!strings.ContainsAny(name, `/\:`) && !strings.ContainsRune(name, 0)
}
