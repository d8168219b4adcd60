package client_test

import (
	"context"
	"fmt"

	"gatepass/client"
)

// A game signs in, shows the worlds, picks one and is in. Here a server in process
// answers; outside of tests Options has no Dialer, and the address is host:port.
func Example() {
	ctx, server := context.Background(), newFake()
	server.gate = func(g *gatePeer) {
		g.accept()
		g.enter()
		g.echo()
	}

	c, err := client.Dial(ctx, "login", client.Options{Build: 1, Dialer: server})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer c.Close()
	s, err := c.Login(ctx, client.Credentials{Account: "ana", Password: "correct horse"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer s.Close()
	for _, w := range s.Worlds().All() {
		fmt.Println(w.ID, w.Name, w.Status)
	}
	pass, err := s.Select(ctx, 1)
	if err != nil {
		fmt.Println(err)
		return
	}
	world, err := s.Enter(ctx, pass)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer world.Close()
	_ = world.Send(1, []byte("hello"))
	p, err := world.Receive(ctx)
	fmt.Println(p.Opcode, string(p.Body), err)
	// Output:
	// 1 Ash online
	// 2 Birch offline
	// 1 hello <nil>
}
