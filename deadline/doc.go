// Package deadline has the clock that deadlines count by and the wheel that wakes
// whoever has one: the logic of a login server and a world's gate have thousands of
// deadlines each, of which nearly all are put off before they come.
//
// Three clocks are told apart in the whole tree:
//
//   - Now, CLOCK_BOOTTIME: every deadline, limit, age and lease. Nobody can set it and
//     it goes on while the machine sleeps, so what is over for the rest of the region
//     is over here too.
//   - Go's timers, CLOCK_MONOTONIC: when to look again, and limits of single reads and
//     writes. They stand still while the machine sleeps, so nothing may be decided by
//     their having fired.
//   - time.Now, the wall clock: stamps that people or other machines read, the ends of
//     bans and devices, the steps of authenticator codes. An operator or NTP may set it
//     at any moment, by years.
//
// The wheel reads no clock: its owner feeds it.
package deadline
