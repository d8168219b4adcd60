package admin

// Permission is what an operator needs for a command.
type Permission uint8

const (
	// PermissionRead: look at the region and at the catalogue of patches.
	PermissionRead Permission = iota + 1
	// PermissionSecrets: read accounts as they are stored, with verifiers, PINs and
	// authenticator secrets, as an export does.
	PermissionSecrets
	// PermissionAccounts: add, change and delete accounts, their factors and devices.
	PermissionAccounts
	// PermissionBans: ban and unban accounts and addresses, and list the bans.
	PermissionBans
	// PermissionPatches: change the catalogue of builds and patches.
	PermissionPatches
	// PermissionRegion: send notices, turn maintenance on and off, reset the list of
	// worlds.
	PermissionRegion
	permissionEnd
)

// String is the permission's name in documents.
func (p Permission) String() string {
	switch p {
	case PermissionRead:
		return "read"
	case PermissionSecrets:
		return "secrets"
	case PermissionAccounts:
		return "accounts"
	case PermissionBans:
		return "bans"
	case PermissionPatches:
		return "patches"
	case PermissionRegion:
		return "region"
	}
	return "none"
}

// Permissions is a set of them.
type Permissions uint16

// Allow is the set of the given permissions.
func Allow(each ...Permission) (set Permissions) {
	for _, p := range each {
		set |= 1 << p
	}
	return set
}

// AllowAll is the set of all permissions: what the server's own user and root have on
// its socket.
func AllowAll() Permissions { return 1<<permissionEnd - 2 }

// Has tells whether p is in the set.
func (s Permissions) Has(p Permission) bool { return s&(1<<p) != 0 }
