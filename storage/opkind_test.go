package storage

import (
	"strings"
	"testing"
)

func TestOpKind_EachHasAWordOfItsOwn(t *testing.T) {
	seen := make(map[string]OpKind)
	for k := OpGet; int(k) < len(opNames); k++ {
		word := k.String()
		if other, twice := seen[word]; twice || strings.HasPrefix(word, "operation(") {
			t.Errorf("%d is %q, as %d", k, word, other)
		}
		seen[word] = k
	}
	if got := OpKind(0).String() + OpKind(255).String(); got != "operation(0)operation(255)" {
		t.Error(got)
	}
}
