package worlds

// What the Directory believes of whom, and tells to whom.

// verdict is what an announcement comes to.
type verdict uint8

const (
	// verdictTake: it is the account's place from now on.
	verdictTake verdict = iota
	// verdictLate: the key has gone on from there.
	verdictLate
	// verdictLost, verdictOnline: another login of the account stays; this one is
	// to be ended.
	verdictLost
	verdictOnline
	// verdictRefused: a world has no say in that.
	verdictRefused
	// verdictUnvouched: a world says it without a login server's voucher.
	verdictUnvouched
)

// stranger tells whether a node is a world that is not registered.
func (d *Directory) stranger(from Node) bool {
	return from.Kind() == KindWorld && d.options.Registered != nil && !d.options.Registered(from)
}

// judge compares an announcement with what is known; nil for nothing.
func (d *Directory) judge(known *slot, from Node, a *Announcement) verdict {
	world := from.Kind() == KindWorld
	stay := Stay{Stamp: a.Stamp, Hop: a.Hop, Voucher: a.Voucher}
	switch {
	case a.Hop > MaxHop || world && (a.Kind == AnnounceFresh || a.Kind == AnnounceRenewed):
		return verdictRefused
	case world && !d.options.Vouchers.Right(from, a.Account, stay):
		return verdictUnvouched
	case known == nil:
		return verdictTake
	case known.stamp == a.Stamp && a.Hop < known.hop:
		return verdictLate
	case known.stamp == a.Stamp:
		return verdictTake
	case d.stays(known) && (world || a.Kind != AnnounceHeld && a.Kind != AnnounceRenewed):
		return verdictOnline
	case a.Kind != AnnounceFresh && a.Stamp < known.stamp:
		return verdictLost
	}
	return verdictTake
}

// stays tells whether no other login may take a known one's place. One that was ended
// does not: a world that does not answer an operator's end locks nobody out.
func (d *Directory) stays(known *slot) bool {
	return d.options.SecondLogin == SecondLoginRefuse && !known.ending && d.lives.node(known.life).Kind() == KindWorld
}

// mayKnow tells whether a node may be told where a key is. Worlds take keys from
// login servers only, and who is in another world is not theirs to know.
func (d *Directory) mayKnow(from Node, known *slot) bool {
	holder := d.lives.node(known.life)
	return from.Kind() != KindWorld || holder == from || holder.Kind() == KindLogin
}
