package storage

// Calls is how many calls of Do are in progress.
func (c *Client) Calls() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.calls)
}
