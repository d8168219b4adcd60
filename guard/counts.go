package guard

// Counts holds a current number for each key, such as connections of each network. A key with
// number 0 takes no memory.
type Counts[K comparable] map[K]int

// Add adds n, which may be negative, to the count of key.
func (c Counts[K]) Add(key K, n int) {
	if c[key] += n; c[key] == 0 {
		delete(c, key)
	}
}
