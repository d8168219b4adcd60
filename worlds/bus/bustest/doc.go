// Package bustest is what the tests of the bus share: an authority, a server with the
// credentials of any node, connections, and nodes that record their events. Only tests
// import it. Helpers fail the test themselves and clean up after it.
package bustest
