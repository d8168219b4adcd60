package logic

import (
	"net/netip"
	"strings"

	"gatepass/storage"
)

// blocklist is the address bans, in memory: it is asked at every login.
type blocklist struct {
	bans map[netip.Prefix]*storage.Ban
	// bits are the prefix lengths that occur, so that an address is looked up
	// once for each of them and not once for each ban.
	bits4, bits6 []int
}

// set replaces all bans; the slice is kept.
func (b *blocklist) set(bans []storage.AddressBan) {
	*b = blocklist{bans: make(map[netip.Prefix]*storage.Ban, len(bans))}
	seen := make(map[int]bool)
	for i := range bans {
		p := bans[i].Prefix.Masked()
		b.bans[p] = &bans[i].Ban
		length := p.Bits()
		if p.Addr().Is6() {
			length += 1000 // told apart from those of IPv4
		}
		if seen[length] {
			continue
		}
		seen[length] = true
		if p.Addr().Is6() {
			b.bits6 = append(b.bits6, p.Bits())
		} else {
			b.bits4 = append(b.bits4, p.Bits())
		}
	}
}

// find is a ban that holds for the address at now (Unix seconds), or nil.
func (b *blocklist) find(addr netip.Addr, now int64) *storage.Ban {
	lengths := b.bits4
	if addr.Is6() {
		lengths = b.bits6
	}
	for _, bits := range lengths {
		p, err := addr.Prefix(bits)
		if err != nil {
			continue // an address of neither family: a test's
		}
		if ban, ok := b.bans[p]; ok && ban.Active(now) {
			return ban
		}
	}
	return nil
}

// wantBans reads the bans anew, now or when the reading under way has ended.
func (c *Core) wantBans() {
	c.bansWanted = true
	if !c.bansLoading {
		c.loadBans()
	}
}

// bansNamed is how many damaged bans are named in the log.
const bansNamed = 20

// tellBans logs what is wrong with the bans, once until it is something else.
func (c *Core) tellBans(what string, wrong []string) {
	text := ""
	if len(wrong) > 0 {
		text = what + strings.Join(wrong, "\n")
	}
	if text != c.bansTold && text != "" {
		c.options.Logger.Error(what, "bans", strings.Join(wrong[:min(len(wrong), bansNamed)], "; "), "count", len(wrong))
	}
	c.bansTold = text
}

func (c *Core) loadBans() {
	c.bansWanted, c.bansLoading = false, true
	c.ops = append(c.ops, storage.Op{Kind: storage.OpAddressBans})
}

// bansLoaded takes the store's answer. One that failed is asked for again with
// the next tick: a blocklist is not done without. Until then the bans of before hold.
func (c *Core) bansLoaded(r *storage.Result) {
	c.bansLoading = false
	if r.Err != nil {
		c.bansWanted = true
		c.count.storeErrors.Add(1)
		c.tellBans("address bans could not be read; trying again", []string{r.Err.Error()})
		return
	}
	c.tellBans("address bans are damaged and do not hold: lift each by its range and set it again", r.Damaged)
	c.count.bansLoaded.Store(true)
	c.count.bans.Store(int64(len(r.AddressBans)))
	c.count.bansDamaged.Store(int64(len(r.Damaged)))
	c.blocklist.set(r.AddressBans)
	c.endBannedAddresses()
	if c.bansWanted {
		c.loadBans()
	}
}
