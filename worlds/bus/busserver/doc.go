// Package busserver runs the bus: a NATS server with JetStream inside this process. It
// creates the managers' buckets, gives the running server new revocations, keeps room for
// nodes while unauthenticated clients flood the port, and restarts the server after a disk
// error. It does not know what nodes say to each other.
//
//	server, err := busserver.Start(busserver.Options{Dir: dir, Listen: "127.0.0.1:4222"})
//	conn, err := bus.Connect(ctx, bus.Options{Server: server, Creds: file})
//	server.Close()
//
// Setup creates the buckets on a NATS server that gatepass does not run.
package busserver
