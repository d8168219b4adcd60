// Package serve has the commands that run a process until a signal ends it: login, worlds,
// gateway, dns and dev. A command has the flags and the help of a role; what the role
// starts is in package roles.
package serve
