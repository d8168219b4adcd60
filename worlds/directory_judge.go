package worlds

// This file decides which announcements are accepted, and which node may learn a place.

// verdict is the decision about an announcement.
type verdict uint8

const (
	// verdictTake: it becomes the account's place.
	verdictTake verdict = iota
	// verdictLate: the key has moved on since.
	verdictLate
	// verdictLost, verdictOnline: another login of the account stays, and this one is
	// ended.
	verdictLost
	verdictOnline
	// verdictRefused: a world may not make this announcement.
	verdictRefused
	// verdictUnvouched: a world lacks a login server's voucher.
	verdictUnvouched
)

// stranger reports whether a node is a world that is not registered.
func (d *Directory) stranger(from Node) bool {
	return from.Kind() == KindWorld && d.options.Registered != nil && !d.options.Registered(from)
}

// judge compares an announcement with the known entry, which may be nil.
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

// stays reports whether a known login blocks every other login. A login that was ended
// does not block: a world that ignores an operator's End cannot lock the player out.
func (d *Directory) stays(known *slot) bool {
	return d.options.SecondLogin == SecondLoginRefuse && !known.ending && d.lives.node(known.life).Kind() == KindWorld
}

// mayKnow reports whether a node may learn where a key is. Worlds take keys only from
// login servers, and may not learn which players are in other worlds.
func (d *Directory) mayKnow(from Node, known *slot) bool {
	holder := d.lives.node(known.life)
	return from.Kind() != KindWorld || holder == from || holder.Kind() == KindLogin
}
