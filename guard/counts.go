package guard

// Counts is how many there are now of each key, such as connections of each network. A
// key of which there are none takes no memory.
type Counts[K comparable] map[K]int

// Add adds n, which may be negative, to the count of key.
func (c Counts[K]) Add(key K, n int) {
	if c[key] += n; c[key] == 0 {
		delete(c, key)
	}
}
