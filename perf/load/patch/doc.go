// package patch runs clients of an old build that update: they sign in, accept the file
// that the server offers, and download it. Clients drives all of them from one epoll loop
// on one thread. File is a file made for this: a client can check each byte of it.
//
//	file, err := patch.MakeFile(ctx, path, size, nil)
//	clients, err := patch.NewClients(patch.Options{Target: server, File: file, Count: 64})
//	clients.Start()
//	received := clients.Bytes.Load()
//	clients.Stop()
package patch
