// Package credentials decides who may connect to the bus of a region and what each node
// may say and hear there. An Authority is a folder with the keys that servers trust. It
// signs for each node a credentials file with the node's permissions (permissions.go). A
// server learns of a new node when the node shows its signed credentials, and of a revoked
// node from the region's token.
//
//	authority, err := credentials.InitAuthority(dir, options)
//	err = authority.AddNode("world.7", "world.7.creds")
//	err = authority.Revoke("world.7")
//
// The package also makes the certificates of servers, decides when a connection must be
// encrypted, and holds the limits that the token gives all nodes. It opens no connection.
// docs/bus-credentials.md has a table of every subject; a test compares it with a server.
package credentials
