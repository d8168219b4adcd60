// package floor has the least that servers can do, for comparison with real ones: Floor
// answers logins of the grunt protocol with fixed bytes, and Patch sends a file. A server's
// CPU time is reported as a multiple of the floor's, which is nearly the same on every
// machine.
//
//	f, err := floor.Listen(addr)
//	err = f.Serve(ctx) // until ctx ends
package floor
