package gate

// command is a request of the gate's owner to the core.
type command uint8

const (
	// commandDrain admits no more clients and disconnects the waiting ones.
	commandDrain command = iota
	// commandClose disconnects every client, wipes all keys and ends the loop.
	commandClose
)

// command runs a command. The loop also sees commandClose and ends after it.
func (c *core) command(cmd command) {
	c.draining = true
	c.each(func(s *session) {
		if s.state != StateInside && s.state != StateLeaving {
			c.count.refused[RefusalDraining].Add(1)
			c.refuse(s, RefusalDraining)
		}
	})
	c.line = newLine() // including the places of absent players
	if cmd == commandClose {
		c.each(func(s *session) { c.sendAway(s, LeftClosing) })
		c.dropAll()
	}
	if c.inside == 0 {
		c.tellDrained()
	}
}

// dropAll wipes every key and announces it.
func (c *core) dropAll() {
	c.announceAll()
	for _, account := range c.unannounced {
		if h := c.passes.Find(account); h != nil {
			c.dropKey(h)
		}
	}
	c.unannounced = nil
}
