// Package perf keeps speed as a tested property. It holds no code of the server,
// only what measures it:
//
//   - Budgets (budget_test.go) fail the build. They count what does not depend on
//     the machine: heap allocations a message, bytes a session. A timed unit test
//     would fail on a busy machine and pass on a fast one; these do neither.
//   - Benchmarks say where the time goes. stage_test.go has one a stage of a
//     message's way, its neighbours faked, so that a change in one number names
//     the stage; region_test.go those of the region; pipeline_test.go has whole
//     logins through codec, logic, auth pool and store, without sockets.
//   - Loads (package load, behind 'gatepass bench') measure whole processes over
//     real sockets. DESIGN.md says how.
//
// Nanoseconds are compared only within one run, as ratios of sub-benchmarks named
// key=value; between two versions, interleave at least ten runs of each and
// compare them with benchstat. The way a message takes here:
//
//	bytes ─decode─▶ inbox ─▶ logic ─┬─▶ store, auth pool ─▶ inbox ─▶ logic
//	                                └─▶ outbox ─encode─▶ bytes
//
// What the budgets leave out is said where they are: gnet's task for a reactor
// that is not awake, and what the store allocates for an account that it hands
// over for good.
package perf
