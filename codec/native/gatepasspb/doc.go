// Package gatepasspb has the messages of the native protocol as Go types, generated
// from gatepass.proto by `make generate`. Clients and tests use them; the servers
// read and write the same bytes with package native, which allocates nothing for it.
//
//	body, err := proto.Marshal(&gatepasspb.ClientFrame{
//		Body: &gatepasspb.ClientFrame_Ping{Ping: &gatepasspb.Ping{Number: 1}}})
package gatepasspb
