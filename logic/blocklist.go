package logic

import (
	"net/netip"
	"strings"

	"gatepass/guard"
	"gatepass/storage"
)

// blocklist keeps the address bans in memory, because every login looks them up.
type blocklist struct{ bans guard.Prefixes[*storage.Ban] }

// set replaces all bans; it keeps the slice.
func (b *blocklist) set(bans []storage.AddressBan) {
	*b = blocklist{}
	for i := range bans {
		b.bans.Set(bans[i].Prefix, &bans[i].Ban)
	}
}

// find returns a ban that holds for the address at now (Unix seconds), or nil.
func (b *blocklist) find(addr netip.Addr, now int64) *storage.Ban {
	ban, _ := b.bans.Find(addr, func(ban *storage.Ban) bool { return ban.Active(now) })
	return ban
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
