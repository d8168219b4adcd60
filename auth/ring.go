package auth

// ring is a bounded queue of jobs. Invariant: jobs[head ... head+waiting) (mod len) are
// waiting; all other elements are zero.
type ring struct {
	jobs    []Job
	head    int
	waiting int
}

func newRing(size int) ring { return ring{jobs: make([]Job, size)} }

// push copies a job into the ring. It returns false if that would leave room for fewer than
// others more jobs.
func (r *ring) push(j *Job, others int) bool {
	if r.waiting >= len(r.jobs)-others {
		return false
	}
	r.jobs[(r.head+r.waiting)%len(r.jobs)] = *j
	r.waiting++
	return true
}

// pop moves the oldest jobs to into and returns how many.
func (r *ring) pop(into []Job) (n int) {
	into = into[:min(len(into), r.waiting)]
	for n < len(into) {
		slots := r.jobs[r.head:min(r.head+len(into)-n, len(r.jobs))]
		n += copy(into[n:], slots)
		clear(slots)
		r.head = (r.head + len(slots)) % len(r.jobs)
	}
	r.waiting -= n
	return n
}
