package gate

// command is what the gate's owner wants of the core.
type command uint8

const (
	// commandDrain lets nobody in any more and sends those away who wait.
	commandDrain command = iota
	// commandClose sends everybody away, wipes all keys and ends the loop.
	commandClose
)

// command takes a command. commandClose is seen by the loop too, which ends behind
// it.
func (c *core) command(cmd command) {
	c.draining = true
	c.each(func(s *session) {
		if s.state != StateInside && s.state != StateLeaving {
			c.count.refused[RefusalDraining].Add(1)
			c.refuse(s, RefusalDraining)
		}
	})
	c.line = newLine() // with the places of those who are away
	if cmd == commandClose {
		c.each(func(s *session) { c.sendAway(s, LeftClosing) })
		c.dropAll()
	}
	if c.inside == 0 {
		c.tellDrained()
	}
}

// dropAll wipes every key and says so.
func (c *core) dropAll() {
	c.announceAll()
	for _, account := range c.unannounced {
		if h := c.passes.Find(account); h != nil {
			c.dropKey(h)
		}
	}
	c.unannounced = nil
}
