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

// addressBans keeps the blocklist as new as the store's.
type addressBans struct {
	base
	list blocklist
	// wanted says that the list is older than the store's, loading that a newer one is
	// on its way: never two at once, so that the older of two answers cannot come last.
	wanted, loading bool
	// told is what was logged of bans that could not be read.
	told string
}

// find returns a ban that holds for the address now, or nil.
func (a *addressBans) find(addr netip.Addr) *storage.Ban { return a.list.find(addr, a.wall/1000) }

// want reads the bans again, now or when the current reading has ended.
func (a *addressBans) want() {
	a.wanted = true
	a.retry()
}

// retry reads the bans if they are to be read and no reading is under way.
func (a *addressBans) retry() {
	if a.wanted && !a.loading {
		a.load()
	}
}

func (a *addressBans) load() {
	a.wanted, a.loading = false, true
	a.effects.request(storage.Op{Kind: storage.OpAddressBans})
}

// refused notes that the store had no room for the reading.
func (a *addressBans) refused() { a.wanted, a.loading = true, false }

// loaded handles the store's result; true means that there is a new list. A reading that
// failed is tried again with the next tick, and until then the bans of before hold.
func (a *addressBans) loaded(r *storage.Result) bool {
	a.loading = false
	if r.Err != nil {
		a.wanted = true
		a.count.storeErrors.Add(1)
		a.tell("address bans could not be read; trying again", []string{r.Err.Error()})
		return false
	}
	a.tell("address bans are damaged and do not hold: lift each by its range and set it again", r.Damaged)
	a.count.bansLoaded.Store(true)
	a.count.bans.Store(int64(len(r.AddressBans)))
	a.count.bansDamaged.Store(int64(len(r.Damaged)))
	a.list.set(r.AddressBans)
	return true
}

// bansNamed is how many damaged bans are named in the log.
const bansNamed = 20

// tell logs what is wrong with the bans, once until it is something else.
func (a *addressBans) tell(what string, wrong []string) {
	text := ""
	if len(wrong) > 0 {
		text = what + strings.Join(wrong, "\n")
	}
	if text != a.told && text != "" {
		a.options.Logger.Error(what, "bans", strings.Join(wrong[:min(len(wrong), bansNamed)], "; "), "count", len(wrong))
	}
	a.told = text
}
