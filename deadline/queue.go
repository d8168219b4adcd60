package deadline

// Queue returns keys in the order in which they were put in, each once its time has come. It
// is for deadlines that are all equally far ahead, which need no wheel. A key whose time is
// before that of an earlier key waits for the earlier key. The zero value is empty. It belongs
// to one goroutine.
type Queue[K any] struct {
	waiting []entry[K]
	head    int
}

// Push adds k, to be returned from the time at on.
func (q *Queue[K]) Push(k K, at int64) { q.waiting = append(q.waiting, entry[K]{k, at}) }

// Next removes and returns the first key if its time has come by now; otherwise ok is false.
func (q *Queue[K]) Next(now int64) (k K, ok bool) {
	if q.Len() == 0 || q.waiting[q.head].at > now {
		return k, false
	}
	k = q.waiting[q.head].key
	q.waiting[q.head] = entry[K]{}
	if q.head++; q.head > len(q.waiting)/2 {
		n := copy(q.waiting, q.waiting[q.head:])
		clear(q.waiting[n:])
		q.waiting, q.head = q.waiting[:n], 0
	}
	return k, true
}

// Len returns how many keys are in the queue.
func (q *Queue[K]) Len() int { return len(q.waiting) - q.head }
