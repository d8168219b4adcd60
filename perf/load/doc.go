// Package load measures login servers of the grunt protocol under load: it is
// the library behind 'gatepass bench'.
//
// It plays clients, many at once from one thread, and reads what they cost:
//
//	schedule ─due─▶ engine ⇄ sockets ⇄ server
//	                  │                  │
//	                tally              /proc
//	                  └──▶ LoginRun ◀────┘ ──▶ Report
//
// An engine is one epoll loop with its clients; a crew is the engines of a run; a fleet is
// a loop with clients that are brought up to date. RunLogin, RunHold, RunWorlds, RunPass,
// RunThroughput, RunStalled and RunBeside are the scenarios; Rounds sets a server against a Floor,
// a bare loop that answers canned bytes, in the same run. A Stand starts server,
// floor and gate as processes of their own, so that their CPU time can be read apart
// from the client's.
//
//	stand, err := load.NewStand(binary)
//	server, err := stand.StartServer(ctx, accounts)
//	floor, err := stand.StartFloor(ctx)
//	report, err := (&load.Rounds{Floor: &floor, Server: server, Login: options, Times: 2}).Run(ctx)
//	report.Text(os.Stdout)
//
// What it refuses to know: how a server works. It speaks the protocol through
// codec/grunt and codec/world, does its arithmetic with auth/srp6, and measures from
// outside. It knows no bus: whoever starts RunWorlds brings the world.
//
// An engine belongs to its goroutine, which is locked to a thread; everything
// else to the goroutine that called in. What is measured, how and why is in
// perf/DESIGN.md.
package load
