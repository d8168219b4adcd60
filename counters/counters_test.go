package counters

import (
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"
)

type colours [3]Counter

func (colours) Label(i int) string { return []string{"", "red", "blue"}[i] }

type live struct {
	Taken  Counter `metric:"taken_total" help:"Taken."`
	Full   Counter `metric:"refused_total,reason=full" help:"Refused, by reason."`
	Colour colours `metric:"painted_total,colour" help:"Painted, by colour."`
	Hidden Counter
	_      [64]byte
}

type stats struct {
	live
	Open    int64             `metric:"open" help:"Open."`
	Length  int               `metric:"length" help:"Length."`
	Full    bool              `metric:"full" help:"1 while full."`
	Waited  time.Duration     `metric:"waited_seconds_total" help:"Waited."`
	Dropped uint64            `metric:"dropped_total" help:"Dropped."`
	By      map[string]uint64 `metric:"by_total,who" help:"By whom."`
	Name    string
}

func TestEach_ShowsByType(t *testing.T) {
	st := stats{Length: 4, Full: true, Waited: 1500 * time.Millisecond, Dropped: 5, By: map[string]uint64{"me": 6}, Name: "x"}
	st.Taken, st.live.Full, st.Colour, st.Open, st.Hidden = 1, 2, colours{7, 8, 9}, -3, 99
	var got []string
	Each(&st, func(s Sample) {
		got = append(got, fmt.Sprintf("%s{%s=%s} %v %t %s", s.Name, s.Label, s.LabelValue, s.Value, s.Rises, s.Help))
	})
	want := []string{
		"taken_total{=} 1 true Taken.",
		"refused_total{reason=full} 2 true Refused, by reason.",
		"painted_total{colour=red} 8 true Painted, by colour.",
		"painted_total{colour=blue} 9 true Painted, by colour.",
		"open{=} -3 false Open.",
		"length{=} 4 false Length.",
		"full{=} 1 false 1 while full.",
		"waited_seconds_total{=} 1.5 true Waited.",
		"dropped_total{=} 5 true Dropped.",
		"by_total{who=me} 6 true By whom.",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%q\nwant\n%q", got, want)
	}
}

func TestEach_PanicsForWhatCannotBeShown(t *testing.T) {
	for name, bad := range map[string]any{
		"no help": struct {
			A Counter `metric:"a"`
		}{},
		"no name": struct {
			A Counter `metric:",reason" help:"A."`
		}{},
		"text": struct {
			A string `metric:"a" help:"A."`
		}{},
		"array without labels": struct {
			A [2]Counter `metric:"a,b" help:"A."`
		}{},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("it was shown")
				}
			}()
			Each(bad, func(Sample) {})
		})
	}
}

func TestSum_AddsWhileOthersCount(t *testing.T) {
	var one, two live
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 1000 {
				one.Taken.Add(1)
				two.Colour[1].Add(2)
				var into live
				Sum(&into, &one)
			}
		})
	}
	all.Wait()
	var into live
	Sum(&into, &one)
	Sum(&into, &two)
	if into.Taken != 4000 || into.Colour != (colours{0, 8000, 0}) {
		t.Errorf("%+v", into)
	}
	if one.Taken.Load() != 4000 {
		t.Errorf("it changed what it read: %+v", one)
	}
}

func TestCounter_AllocsNothing(t *testing.T) {
	var c live
	if n := testing.AllocsPerRun(100, func() {
		c.Taken.Add(1)
		c.Colour[2].Add(1)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
