// Package roles has what each role of a gatepass process starts: a login server, a world
// manager, a gateway, a DNS server, a bus, or dev, which is a whole region at once. Each
// function is the start of one role. It adds the parts of the role to a process and
// returns; process.Run calls it and does the rest:
//
//	process.Run(ctx, process.Options{Config: c, Out: out, ErrOut: errOut}, roles.Login)
//
// The package knows no command line.
package roles
