package auth

import (
	"errors"
	"slices"
	"testing"

	"gatepass/auth/srp6"
	"pgregory.net/rapid"
)

func TestMatrix_ImpossibleChallengesAreRefused(t *testing.T) {
	for name, c := range map[string]MatrixChallenge{
		"no columns": {Height: 1, Digits: 1, Count: 1},
		"no rows":    {Width: 1, Digits: 1, Count: 1},
		"no digits":  {Width: 8, Height: 10, Count: 1},
		"none asked": {Width: 8, Height: 10, Digits: 2},
		"too many":   {Width: 2, Height: 2, Digits: 2, Count: 5},
	} {
		if cells, err := c.Cells(); !errors.Is(err, ErrMatrix) || cells != nil {
			t.Errorf("%s: %v, %v", name, cells, err)
		}
		if err := c.Verify(make([]byte, 160), &srp6.SessionKey{}, &[20]byte{}); !errors.Is(err, ErrMatrix) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMatrix_Answer_WantsAWholeCard(t *testing.T) {
	c := MatrixChallenge{Width: 8, Height: 10, Digits: 2, Count: 3, Seed: 77}
	for _, size := range []int{0, 159, 161} {
		if _, err := c.Answer(make([]byte, size)); !errors.Is(err, ErrMatrix) {
			t.Errorf("%d digits: %v", size, err)
		}
	}
}

// TestMatrix_Answer_ReadsRowByRow: the card counts up, so that each digit tells where it stood.
func TestMatrix_Answer_ReadsRowByRow(t *testing.T) {
	c := MatrixChallenge{Width: 3, Height: 2, Digits: 2, Count: 6, Seed: 0}
	card := []byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}
	if got, err := c.Answer(card); err != nil || !slices.Equal(got, card) {
		t.Errorf("%v, %v", got, err)
	}
	c.Seed = 5 // the last cell first
	if got, err := c.Answer(card); err != nil || !slices.Equal(got[:2], []byte{10, 11}) {
		t.Errorf("%v, %v", got, err)
	}
}

func TestMatrix_Cells_NeverRepeatAndStayOnTheCard(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := MatrixChallenge{
			Width: rapid.Uint8Range(1, 255).Draw(t, "width"), Height: rapid.Uint8Range(1, 255).Draw(t, "height"),
			Digits: 1, Count: rapid.Uint8Range(1, 255).Draw(t, "count"), Seed: rapid.Uint64().Draw(t, "seed"),
		}
		cells, err := c.Cells()
		if total := int(c.Width) * int(c.Height); int(c.Count) > total {
			if !errors.Is(err, ErrMatrix) {
				t.Fatalf("%d cells of %d: %v", c.Count, total, err)
			}
			return
		}
		seen := map[MatrixCell]bool{}
		for _, cell := range cells {
			if seen[cell] || cell.X >= c.Width || cell.Y >= c.Height {
				t.Fatalf("%+v in %v", cell, cells)
			}
			seen[cell] = true
		}
		if err != nil || len(cells) != int(c.Count) {
			t.Fatalf("%d cells, %v", len(cells), err)
		}
	})
}
