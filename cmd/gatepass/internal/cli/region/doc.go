// Package region has the commands of a region's operator: 'gatepass admin', which asks the
// world manager and gives orders to login servers over the bus, and 'gatepass bus', which
// makes the credentials of the bus and serves it.
package region
