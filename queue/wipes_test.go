package queue

import (
	"testing"

	"gatepass/mutants/wipes"
)

func TestWipes_AreAllThere(t *testing.T) { wipes.Check(t) }
