package records

import "gatepass/storage"

// appendBan appends a ban as it stands inside an account's record.
func appendBan(b []byte, ban *storage.Ban) []byte {
	b = order.AppendUint64(b, uint64(ban.Since))
	b = order.AppendUint64(b, uint64(ban.Until))
	return appendText(appendText(b, ban.Reason), ban.By)
}

// ban reads what appendBan wrote.
func (d *decoder) ban() storage.Ban {
	return storage.Ban{Set: true, Since: d.i64(), Until: d.i64(), Reason: d.text(), By: d.text()}
}

// AppendAddressBan appends the record of an address ban; its range is in the key.
func AppendAddressBan(b []byte, ban *storage.Ban) []byte {
	return appendBan(append(b, Version), ban)
}

func ParseAddressBan(b []byte) (storage.Ban, error) {
	const kind = "address ban"
	d := decoder{left: b}
	if err := d.version(kind); err != nil {
		return storage.Ban{}, err
	}
	ban := d.ban()
	return ban, d.end(kind)
}
