package patches

import (
	"cmp"
	"container/heap"
)

// step is a file that leads from one build to another, by their numbers.
type step struct {
	from, to int
	file     *File
}

// way is how a build is left: the first step, and how much it is to the end. Without a
// next one there is no way.
type way struct {
	next  *step
	steps int
	bytes uint64
}

// findWays looks for the best way from each build that must update to where ways may
// end: at a current build, or, for those from which none is reached, at one that is let
// in. It goes backwards from the ends, always on from the build that is nearest to one
// (Dijkstra), so that all ways are found at once and agree: who has taken the first
// step is told the rest of the same way.
func findWays(builds []said, steps []*step) []way {
	s := &search{builds: builds, into: make([][]*step, len(builds)), ways: make([]way, len(builds))}
	for _, one := range steps {
		s.into[one.to] = append(s.into[one.to], one)
	}
	s.run(func(status Status) bool { return status == StatusCurrent })
	s.run(Status.letsIn)
	return s.ways
}

type search struct {
	builds []said
	into   [][]*step // by the build they lead to
	ways   []way     // by build
	done   []bool    // by build: has its way for good
	open   frontier
}

// run leaves alone what has a way.
func (s *search) run(ends func(Status) bool) {
	s.done = make([]bool, len(s.builds))
	for build := range s.builds {
		s.done[build] = s.ways[build].next != nil
		if ends(s.builds[build].status) {
			s.done[build] = true
			s.extend(build, way{})
		}
	}
	for s.open.Len() > 0 {
		c := heap.Pop(&s.open).(candidate)
		if s.done[c.next.from] {
			continue
		}
		s.done[c.next.from] = true
		s.ways[c.next.from] = c.way
		s.extend(c.next.from, c.way)
	}
}

// extend considers all steps to a build whose own way is known. Only a build that must
// update has one.
func (s *search) extend(build int, rest way) {
	for _, one := range s.into[build] {
		if s.builds[one.from].status == StatusUpdate {
			heap.Push(&s.open, candidate{way{one, rest.steps + 1, rest.bytes + one.file.Size}})
		}
	}
}

type candidate struct{ way }

// frontier has the best candidate first: the fewest bytes; of those alike the fewest
// steps, then the newest build to go to first.
type frontier []candidate

func (f frontier) Len() int { return len(f) }

func (f frontier) Less(i, j int) bool {
	a, b := f[i].way, f[j].way
	return cmp.Or(cmp.Compare(a.bytes, b.bytes), cmp.Compare(a.steps, b.steps), cmp.Compare(b.next.to, a.next.to)) < 0
}

func (f frontier) Swap(i, j int) { f[i], f[j] = f[j], f[i] }

func (f *frontier) Push(c any) { *f = append(*f, c.(candidate)) }

func (f *frontier) Pop() any {
	last := (*f)[len(*f)-1]
	*f = (*f)[:len(*f)-1]
	return last
}
