package accounts

import (
	"fmt"
	"strconv"
	"strings"

	"gatepass/auth/srp6a"
	"gatepass/storage"
)

// ParseGroup reads a --native-group flag. Its error is a FieldError.
func ParseGroup(text string) (srp6a.Group, error) {
	bits, err := strconv.Atoi(text)
	if err == nil {
		if group, err := srp6a.ParseGroup(bits); err == nil {
			return group, nil
		}
	}
	return 0, &FieldError{Field: "native-group", Problem: fmt.Sprintf("%q is no group; give 2048, 3072 or 4096", text), cause: err}
}

// ParseKDF parses a --native-kdf flag: memory in KiB, passes and lanes. It refuses
// values that clients refuse, because nobody could log in with them. Its error is a
// FieldError.
func ParseKDF(text string) (srp6a.KDF, error) {
	parts := strings.Split(text, ",")
	var numbers [3]uint32
	if len(parts) != len(numbers) {
		return srp6a.KDF{}, kdfError("%q is not three numbers", text)
	}
	for i, part := range parts {
		n, err := strconv.ParseUint(strings.TrimSpace(part), 10, 32)
		if err != nil {
			return srp6a.KDF{}, kdfError("%q is no number", part)
		}
		numbers[i] = uint32(n)
	}
	kdf, low, high := srp6a.KDF{MemoryKiB: numbers[0], Passes: numbers[1], Lanes: numbers[2]}, srp6a.MinKDF(), srp6a.MaxKDF()
	switch {
	case kdf.MemoryKiB < low.MemoryKiB || kdf.MemoryKiB > high.MemoryKiB:
		return kdf, kdfError("the memory is %d KiB and clients take %d to %d", kdf.MemoryKiB, low.MemoryKiB, high.MemoryKiB)
	case kdf.Passes < low.Passes || kdf.Passes > high.Passes:
		return kdf, kdfError("there are %d passes and clients take %d to %d", kdf.Passes, low.Passes, high.Passes)
	case kdf.Lanes < low.Lanes || kdf.Lanes > high.Lanes:
		return kdf, kdfError("there are %d lanes and clients take %d to %d", kdf.Lanes, low.Lanes, high.Lanes)
	case uint64(kdf.MemoryKiB)*uint64(kdf.Passes) > srp6a.MaxKDFWork:
		return kdf, kdfError("memory times passes is %d KiB and clients take up to %d", uint64(kdf.MemoryKiB)*uint64(kdf.Passes), srp6a.MaxKDFWork)
	}
	return kdf, nil
}

func kdfError(format string, args ...any) error {
	d := srp6a.DefaultKDF()
	return &FieldError{Field: "native-kdf", Problem: fmt.Sprintf(format, args...) +
		fmt.Sprintf("; give memory in KiB, passes and lanes, such as %d,%d,%d", d.MemoryKiB, d.Passes, d.Lanes)}
}

// verifiers says which verifiers are computed from a password, and how.
type verifiers struct {
	grunt, native bool
	params        srp6a.Params
}

// salts is the random data for the verifiers of one account.
type salts struct{ grunt, native [32]byte }

// make sets the requested verifiers and removes all others, which would still accept an
// older password.
func (v *verifiers) make(a *storage.Account, s *salts, password string) {
	a.Grunt, a.Others = storage.GruntVerifier{}, nil
	if v.grunt {
		a.Grunt = gruntVerifier(&s.grunt, a.Name, password)
	}
	if v.native {
		made := srp6a.NewVerifier(v.params, &s.native, a.Name.String(), password)
		a.Others = map[string][]byte{ProtocolNative: made.Append(nil)}
	}
}

// checkOthers refuses a native verifier that is malformed, that accepts any password,
// or whose KDF clients refuse. Its error is a FieldError. It accepts verifiers of
// unknown protocols.
func checkOthers(others map[string][]byte) error {
	raw, there := others[ProtocolNative]
	if !there {
		return nil
	}
	v, err := srp6a.ParseVerifier(raw)
	if err != nil {
		reason := strings.TrimPrefix(err.Error(), srp6a.ErrVerifier.Error()+": ")
		return &FieldError{Field: "others.native", Problem: "this is no native verifier: " + reason +
			"; take it from an export, or leave it out and set a password", cause: err}
	}
	if err := v.KDF.Acceptable(); err != nil {
		reason := strings.TrimPrefix(err.Error(), srp6a.ErrParams.Error()+": ")
		return &FieldError{Field: "others.native", Problem: "clients refuse this verifier: " + reason +
			"; leave it out and set a password", cause: err}
	}
	return nil
}

// NativeSummary is the public part of a native verifier.
type NativeSummary struct {
	// Group is in bits. MemoryKiB is the memory of the KDF.
	Group     srp6a.Group `json:"group"`
	MemoryKiB uint32      `json:"memory_kib"`
	Passes    uint32      `json:"passes"`
	Lanes     uint32      `json:"lanes"`
	// Weak: the default parameters are stronger, so a new password would get a stronger
	// verifier.
	Weak bool `json:"weak"`
}

// summarizeNative returns nil if there is no native verifier or if it cannot be read.
func summarizeNative(a *storage.Account) *NativeSummary {
	raw, there := a.Others[ProtocolNative]
	if !there {
		return nil
	}
	v, err := srp6a.ParseVerifier(raw)
	if err != nil {
		return nil
	}
	return &NativeSummary{
		Group: v.Group, MemoryKiB: v.KDF.MemoryKiB, Passes: v.KDF.Passes, Lanes: v.KDF.Lanes,
		Weak: weaker(v.Params(), srp6a.DefaultParams()),
	}
}

// weaker compares what makes an attack expensive: the group, the memory, and the memory
// times the passes of each guess. It ignores lanes.
func weaker(p, than srp6a.Params) bool {
	work := func(k srp6a.KDF) uint64 { return uint64(k.MemoryKiB) * uint64(k.Passes) }
	return p.Group < than.Group || p.KDF.MemoryKiB < than.KDF.MemoryKiB || work(p.KDF) < work(than.KDF)
}
