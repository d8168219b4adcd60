package worlds

import "gatepass/codec"

const (
	// claimFor is how long a claim waits to be vouched for, in milliseconds: much
	// longer than a login server holds its announcements back.
	claimFor = 3000
	// maxClaimsOfNode is how many of one world wait.
	maxClaimsOfNode = 4096
)

// claims are what worlds have said of logins that are newer than what the directory
// knows. A gate that is quick has a key before the login server's word of it is
// here, which it holds back a little to send many in one message. When that comes,
// and says the same stamp, the world was right.
type claims struct {
	all map[claimKey]claim
	// order has the oldest first, also those that all has no more.
	order  []claimAt
	byNode map[Node]int
}

// claimKey has the stamp too: without knowing it no world can be in another's way.
type claimKey struct {
	account codec.Name
	stamp   Stamp
}

type claim struct {
	from        Node
	incarnation uint64
	hop         uint32
}

type claimAt struct {
	key   claimKey
	from  Node
	until int64
}

func newClaims() claims {
	return claims{all: make(map[claimKey]claim), byNode: make(map[Node]int)}
}

// add keeps a claim, the newest of its key.
func (c *claims) add(key claimKey, new claim, now int64) {
	c.expire(now)
	if c.byNode[new.from] >= maxClaimsOfNode {
		return
	}
	c.byNode[new.from]++
	c.all[key] = new
	c.order = append(c.order, claimAt{key, new.from, now + claimFor})
}

// take removes a claim, if there is one.
func (c *claims) take(key claimKey) (claim, bool) {
	found, ok := c.all[key]
	delete(c.all, key)
	return found, ok
}

// expire removes those whose time is over.
func (c *claims) expire(now int64) {
	for len(c.order) > 0 && c.order[0].until <= now {
		oldest := c.order[0]
		c.order = c.order[1:]
		delete(c.all, oldest.key)
		if c.byNode[oldest.from]--; c.byNode[oldest.from] == 0 {
			delete(c.byNode, oldest.from)
		}
	}
}
