// package testbed starts the servers that a benchmark measures: login server, floor and
// gate, each as a process of its own, so that its CPU time and memory can be read
// separately from the load client's.
//
//	bed, err := testbed.New(binary)
//	defer bed.Close()
//	server, err := bed.StartServer(ctx, accounts)
//	floor, err := bed.StartFloor(ctx)
package testbed
