package codec

import (
	"fmt"
	"testing"
)

// Every value has its own name. The value after the last one shows its number.
func TestNames_EveryValueHasOne(t *testing.T) {
	for what, values := range map[string][]fmt.Stringer{
		"protocol":      valuesOf(ProtocolCount),
		"result":        valuesOf(ResultCount),
		"reply":         valuesOf(ReplyKindCount),
		"kind":          valuesOf(KindCount),
		"reason":        valuesOf(CloseReasonCount),
		"select-reason": valuesOf(SelectReasonCount),
		"transfer-end":  valuesOf(TransferEndCount),
	} {
		seen := make(map[string]bool)
		last := len(values) - 1
		for i, v := range values {
			name, numbered := v.String(), fmt.Sprintf("%s(%d)", what, i)
			if name == "" || seen[name] || (name == numbered) != (i == last) {
				t.Errorf("%s: %q", numbered, name)
			}
			seen[name] = true
		}
	}
}

// valuesOf returns the values from 0 to count.
func valuesOf[E interface {
	~uint8
	fmt.Stringer
}](count E) (all []fmt.Stringer) {
	for v := E(0); v <= count; v++ {
		all = append(all, v)
	}
	return all
}

// Clients' data is split and counted by these sizes.
func TestSizes(t *testing.T) {
	got := [...]int{NonceSize, MaxGroup, TokenProofSize, MaxCode, MaxDeviceName, MaxName, MaxToken}
	if got != [...]int{32, 512, 112, 16, 64, 16, 16} {
		t.Errorf("%v", got)
	}
}
