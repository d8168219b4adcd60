package storage

// CheckReport is what the check of a store found.
type CheckReport struct {
	// Format is the version of the store's layout, 0 where the records could not be
	// read.
	Format uint32 `json:"format"`
	// Tables and Logs count the files that were read, Bytes their size.
	Tables int   `json:"tables"`
	Logs   int   `json:"logs"`
	Bytes  int64 `json:"bytes"`
	// Accounts, Logins, Devices and AddressBans count the records. They are 0 where
	// the damage prevents counting.
	Accounts    int `json:"accounts"`
	Logins      int `json:"logins"`
	Devices     int `json:"devices"`
	AddressBans int `json:"address_bans"`
	// Faults lists everything that is wrong; it is empty for a store without damage.
	Faults []Fault `json:"faults"`
}

// Salvaged receives what can be read of a damaged store: accounts by name, each with
// its devices, then address bans. An error that one of them returns ends the work.
type Salvaged struct {
	Account    func(*Account, []Device) error
	AddressBan func(*AddressBan) error
}
