// Package edge plugs a login server together: Start makes every stage through which a
// client's message goes (listeners and reactors, inbox, logic, auth pool, account store),
// connects them by the small interfaces that each declares, and adds the whole to a
// process as one part. It decides nothing about clients; package logic does.
//
// The parts start in the order of Edge.starts, in which a part that answers comes before
// the parts that ask it. They drain and stop in reverse order. The roles login and dev
// call Start, from the goroutine of process.Run.
package edge
