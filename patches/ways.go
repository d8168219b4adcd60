package patches

import (
	"cmp"
	"container/heap"
)

// step is a file that leads from one build to another, by the numbers of the builds.
type step struct {
	from, to int
	file     *File
}

// way is the path from a build: the first step, and the cost to the end. Without a first step
// there is no path.
type way struct {
	next  *step
	steps int
	bytes uint64
}

// findWays returns the best path from each build that must update. A path ends at a current
// build or, if it cannot reach one, at another build that may log in. The search goes
// backwards from the ends, always from the nearest build (Dijkstra). It finds all paths at
// once, and they agree: a client that has taken the first step gets the rest of the same path.
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
	into   [][]*step // by the number of the build that they lead to
	ways   []way     // by the number of the build
	done   []bool    // by the number of the build: its path is final
	open   frontier
}

// run finds paths to the builds for which ends is true. It does not change existing paths.
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

// extend considers all steps to a build whose own path is known. Only a build that must update
// gets a path.
func (s *search) extend(build int, rest way) {
	for _, one := range s.into[build] {
		if s.builds[one.from].status == StatusUpdate {
			heap.Push(&s.open, candidate{way{one, rest.steps + 1, rest.bytes + one.file.Size}})
		}
	}
}

type candidate struct{ way }

// frontier is a heap with the best candidate first: the fewest bytes, then the fewest steps,
// then the newest build of the first step.
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
