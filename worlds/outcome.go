package worlds

import "fmt"

var outcomeNames = [OutcomeKindCount]string{
	"none", "taken", "not-taken", "left", "issued", "admitted", "kept", "lapsed",
}

func (k OutcomeKind) String() string {
	if k < OutcomeKindCount {
		return outcomeNames[k]
	}
	return fmt.Sprintf("outcome(%d)", uint8(k))
}
