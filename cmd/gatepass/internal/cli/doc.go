// Package cli is the command line of gatepass: Root returns the tree of all commands. Each
// family of commands is a package of its own below this one: account, patch, store, bench,
// client, region (admin and bus) and serve (the roles). What they share is in terminal.
// A command reads its flags, calls the package that does the work and prints the result.
package cli
