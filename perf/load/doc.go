// package load measures login servers under load. It is the library of 'gatepass bench'.
//
// Clients log in to a server, many at once from one thread. The package counts what
// becomes of the logins and reads what they cost the server:
//
//	schedule ─due─▶ engine ⇄ sockets ⇄ server
//	                  │                  │
//	               counts              /proc
//	                  └──▶ LoginRun ◀────┘ ──▶ Report
//
// RunLogin, RunHold, RunWorlds, RunPass, RunThroughput, RunStalled and RunBeside are the
// scenarios. Each takes a Target and its options, and returns a run with a Report. Rounds
// measures a server and a floor in turns, in the same run.
//
//	report, err := (&load.Rounds{Floor: &floor, Server: server, Login: options, Times: 2}).Run(ctx)
//	report.Text(os.Stdout)
//
// The package measures from outside and does not know how a server works. Package testbed
// starts servers to measure, package players makes accounts, package patch has the clients
// that update, and internal/engine those that log in. It has no bus: the caller of
// RunWorlds changes the world.
//
// Each event loop runs in a goroutine that is locked to a thread. Everything else belongs
// to the goroutine of the caller. perf/DESIGN.md says what is measured, how and why.
package load
