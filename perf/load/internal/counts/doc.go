// package counts names and counts the results of logins, moves and updates: how many went
// as planned, how long each part took, and why others failed.
//
// A value is filled by one goroutine. When that has ended, another goroutine merges the
// values of all into one and reads it.
package counts
