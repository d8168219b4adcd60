// Package bench has the commands 'gatepass bench': each measures one scenario of load. The
// package reads flags and starts the servers to measure; package perf/load plays the
// clients and makes the reports.
package bench
