package gate_test

import (
	"context"
	"fmt"

	"gatepass/worlds"
	"gatepass/worlds/gate"
)

// chat is a small game. The gate calls its methods on the logic goroutine.
type chat struct{ seen chan string }

func (g chat) Entered(p gate.Player) { g.seen <- p.Account() + " has come" }

func (g chat) Packet(p gate.Player, opcode uint32, body []byte) {
	g.seen <- fmt.Sprintf("%s says %s", p.Account(), body)
	p.Send(0x096, body)
}

func (g chat) Left(p gate.Player, _ gate.LeftReason) { g.seen <- p.Account() + " is gone" }

// A game embeds the gate: it gives its name and addresses and receives players.
func Example() {
	region, err := newRegion() // a bus, a manager and a login server
	if err != nil {
		fmt.Println(err)
		return
	}
	defer region.close()
	bus, err := region.join("world.1")
	if err != nil {
		fmt.Println(err)
		return
	}

	game := chat{seen: make(chan string, 8)}
	g, err := gate.Open(context.Background(), gate.Options{
		World: worlds.Registration{
			World:    worlds.World{ID: 1, Name: "Small Talk", Builds: []uint16{12340}},
			Capacity: 100,
		},
		Addr: "127.0.0.1:0", Bus: bus, Handler: game, Logger: discard(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()

	// A player logs in and enters the world with the key of that login.
	key := [40]byte{1, 2, 3}
	region.login.hold("ALICE", key)
	client, err := dial(g.Addr(), 12340)
	if err != nil {
		fmt.Println(err)
		return
	}
	_ = client.introduce("ALICE", key)
	answer, err := client.answer()
	fmt.Printf("let in with code %#x, %v\n", answer.Code, err)
	hello, _ := client.half.AppendPacket(nil, 0x095, []byte("hello"))
	_, _ = client.conn.Write(hello)
	packet, err := client.read()
	fmt.Printf("heard %s, %v\n", packet.Body, err)
	client.close()
	for range 3 {
		fmt.Println(<-game.seen)
	}
	// Output:
	// let in with code 0xc, <nil>
	// heard hello, <nil>
	// ALICE has come
	// ALICE says hello
	// ALICE is gone
}

// The same game for native clients. They connect to their own port with the pass from
// their login server.
func Example_native() {
	region, err := newRegion()
	if err != nil {
		fmt.Println(err)
		return
	}
	defer region.close()
	bus, err := region.join("world.1")
	if err != nil {
		fmt.Println(err)
		return
	}

	game := chat{seen: make(chan string, 8)}
	g, err := gate.Open(context.Background(), gate.Options{
		World: worlds.Registration{
			World:    worlds.World{ID: 1, Name: "Small Talk", Builds: []uint16{12340}, NativeBuilds: []uint16{100, 101}},
			Capacity: 100,
		},
		Addr: "127.0.0.1:0", NativeAddr: "127.0.0.1:0", Bus: bus, Handler: game, Logger: discard(),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer g.Close()

	pass, err := region.login.offer("ALICE", "world.1")
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := dialNative(g.NativeAddr())
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println("the gate has the pass's key:", client.enter(pass.id, pass.key) == nil)
	in, err := client.read()
	fmt.Printf("in world %d, %v\n", in.GetEntered().GetWorld(), err)
	_ = client.say(packetOf(0x095, "hello"))
	heard, err := client.read()
	fmt.Printf("heard %s, %v\n", heard.GetPacket().GetBody(), err)
	client.close()
	for range 3 {
		fmt.Println(<-game.seen)
	}
	// Output:
	// the gate has the pass's key: true
	// in world 1, <nil>
	// heard hello, <nil>
	// ALICE has come
	// ALICE says hello
	// ALICE is gone
}
