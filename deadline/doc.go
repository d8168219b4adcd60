// Package deadline provides the clock for deadlines and a timer wheel. The logic of a login
// server and a world's gate have thousands of deadlines each. Nearly all of these are moved to
// a later time before they are due.
//
// The project uses three clocks:
//
//   - Now, CLOCK_BOOTTIME: every deadline, limit, age and lease. Nobody can set it, and
//     it continues while the machine sleeps, so a deadline is over here when it is over
//     for the rest of the region.
//   - Go's timers, CLOCK_MONOTONIC: when to look again, and limits of single reads and
//     writes. They stop while the machine sleeps, so no decision may depend on a timer
//     having fired.
//   - time.Now, the wall clock: timestamps that people or other machines read, the ends
//     of bans and devices, the steps of authenticator codes. An operator or NTP may set
//     it at any moment, by years.
//
// The wheel reads no clock: its owner passes the time to it.
package deadline
