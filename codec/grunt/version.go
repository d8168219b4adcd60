package grunt

import (
	"fmt"

	"gatepass/codec"
)

// Build is a client's build number. It alone decides the layouts, because several third-party
// clients send a wrong protocol version byte.
type Build uint16

// The builds that are tested with real clients.
const (
	// Build1121 is 1.12.1.
	Build1121 Build = 5875
	// Build243 is 2.4.3.
	Build243 Build = 8606
	// Build335 is 3.3.5a.
	Build335 Build = 12340
)

// The first build of each layout.
const (
	firstLayout3 Build = 5428 // 1.11.0
	firstLayout5 Build = 6299 // 2.0.3
	firstLayout6 Build = 6320 // 2.0.5
	firstLayout8 Build = 8089 // 2.4.0
)

// Layout is a set of message layouts. Its name is the lowest protocol version that has them.
// Later layouts compare greater. The zero Layout is for a client that has not sent its build.
type Layout uint8

const (
	// Layout2 is the layout of clients before 1.11 and of every reconnect before 2.0.3. It has
	// no second factors.
	Layout2 Layout = iota + 1
	// Layout3 is for 1.11.0 to 2.0.1. It adds the PIN pad.
	Layout3
	// Layout5 is for 2.0.3. It adds the matrix card, and a tail to refusals of a proof.
	Layout5
	// Layout6 is for versions 6 and 7, 2.0.5 to 2.3.3. The count of realms in a list is a u16.
	Layout6
	// Layout8 is for 2.4.0 and later. It adds account flags, the token and realm versions.
	Layout8
)

// LayoutOf returns the layout of a full login and of the realm list.
func LayoutOf(b Build) Layout {
	switch {
	case b < firstLayout3:
		return Layout2
	case b < firstLayout5:
		return Layout3
	case b < firstLayout6:
		return Layout5
	case b < firstLayout8:
		return Layout6
	}
	return Layout8
}

// ReconnectLayoutOf returns the layout of a reconnect. For 1.x clients it is always Layout2,
// whatever the layout of their login.
func ReconnectLayoutOf(b Build) Layout {
	if l := LayoutOf(b); l >= Layout5 {
		return l
	}
	return Layout2
}

func (l Layout) String() string {
	switch l {
	case Layout2:
		return "v2"
	case Layout3:
		return "v3"
	case Layout5:
		return "v5"
	case Layout6:
		return "v6"
	case Layout8:
		return "v8"
	}
	return fmt.Sprintf("layout(%d)", uint8(l))
}

// Factors returns the second factors for which the layout has fields. The bits of
// codec.Factors are those of the security flags on the wire.
func (l Layout) Factors() codec.Factors {
	switch {
	case l >= Layout8:
		return codec.FactorPIN | codec.FactorMatrix | codec.FactorToken
	case l >= Layout5:
		return codec.FactorPIN | codec.FactorMatrix
	case l >= Layout3:
		return codec.FactorPIN
	}
	return 0
}

// hasFlags reports whether challenge reply and proof end in a security flag byte.
func (l Layout) hasFlags() bool { return l >= Layout3 }

// hasTail reports whether a refused proof and a reconnect proof reply end in a u16.
func (l Layout) hasTail() bool { return l >= Layout5 }
