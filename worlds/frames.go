package worlds

import "slices"

// frames caches the encodings for each class of clients. It keeps at most maxFrames and
// drops the oldest. The zero value is empty.
type frames[K comparable, F any] struct {
	all   map[K]F
	order []K // all keys, oldest first
}

func (f *frames[K, F]) get(key K) (frame F, ok bool) {
	frame, ok = f.all[key]
	return frame, ok
}

// add stores a frame whose key is not there yet.
func (f *frames[K, F]) add(key K, frame F) {
	if f.all == nil {
		f.all = make(map[K]F)
	}
	if len(f.order) == maxFrames {
		delete(f.all, f.order[0])
		f.order = slices.Delete(f.order, 0, 1)
	}
	f.order = append(f.order, key)
	f.all[key] = frame
}

func (f *frames[K, F]) clear() {
	clear(f.all)
	f.order = f.order[:0]
}
