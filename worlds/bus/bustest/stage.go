package bustest

import (
	"context"
	"testing"
	"time"

	"gatepass/worlds"
	"gatepass/worlds/bus"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/credentials"
	"gatepass/worlds/bus/wire"
)

// MustServer starts a server.
func MustServer(tb testing.TB, o busserver.Options) *busserver.Server {
	tb.Helper()
	s, err := busserver.Start(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// Stage is a bus and the credentials of the nodes that a test connects to it.
type Stage struct {
	TB        testing.TB
	Authority *credentials.Authority
	Options   busserver.Options
	Server    *busserver.Server

	creds    map[worlds.Node]string
	vouching *worlds.Vouchers // nil until Vouched is called
}

// NewStage starts a server on a socket, so that it can be restarted on the same address.
func NewStage(tb testing.TB) *Stage {
	tb.Helper()
	a := MustAuthority(tb)
	s := &Stage{TB: tb, Authority: a, creds: make(map[worlds.Node]string)}
	s.Options = busserver.Options{Dir: a.Dir(), Listen: "127.0.0.1:0"}
	s.Server = MustServer(tb, s.Options)
	s.Options.Listen = s.Server.Addr()
	return s
}

// Restart stops the server and starts it again.
func (s *Stage) Restart() {
	s.TB.Helper()
	s.Server.Close()
	s.Server = MustServer(s.TB, s.Options)
}

// CredsOf returns the credentials file of a node.
func (s *Stage) CredsOf(node worlds.Node) string {
	if s.creds[node] == "" {
		s.creds[node] = MustCreds(s.TB, s.Authority, node)
	}
	return s.creds[node]
}

// Connect connects a node.
func (s *Stage) Connect(node worlds.Node) *bus.Conn {
	s.TB.Helper()
	return s.ConnectWith(node, bus.Options{})
}

// ConnectWith connects a node with further options.
func (s *Stage) ConnectWith(node worlds.Node, o bus.Options) *bus.Conn {
	s.TB.Helper()
	o.URL, o.Creds, o.Demand, o.Logger = "nats://"+s.Options.Listen, s.CredsOf(node), true, Log(s.TB)
	c, err := bus.Connect(context.Background(), o)
	if err != nil {
		s.TB.Fatal(err)
	}
	s.TB.Cleanup(func() { c.Close() })
	return c
}

// TestRegistration returns a valid registration of a world.
func TestRegistration(id uint8, incarnation uint64) worlds.Registration {
	return worlds.Registration{
		World: worlds.World{
			ID: id, Name: "World " + string('A'+rune(id)), Address: "10.0.0.1:8085", Kind: worlds.KindPvP, Category: 1,
			Builds: []uint16{5875, 12340},
		},
		Region: "eu", Incarnation: incarnation, Capacity: 100,
	}
}

// Join registers the connection's world.
func (s *Stage) Join(c *bus.Conn, r worlds.Registration) *bus.Registrar {
	s.TB.Helper()
	reg, err := c.Register(bus.RegisterOptions{
		World: func() worlds.Registration { return r },
		Beat:  func() worlds.Beat { return worlds.Beat{Incarnation: r.Incarnation, Population: 5, Load: 0.5} },
		Every: 30 * time.Millisecond,
	})
	if err != nil {
		s.TB.Fatal(err)
	}
	return reg
}

// MustJoin registers world 7 and waits until it is in the list.
func (s *Stage) MustJoin(c *bus.Conn, incarnation uint64) {
	s.TB.Helper()
	reg := s.Join(c, TestRegistration(7, incarnation))
	Eventually(s.TB, "the world is registered", reg.Registered)
}

// Vouchers returns the region's vouchers as a login server gets them.
func (s *Stage) Vouchers() *worlds.Vouchers {
	s.TB.Helper()
	c := s.Connect("login.vouchers")
	defer c.Close()
	var v *worlds.Vouchers
	Eventually(s.TB, "the voucher key", func() bool {
		answer, err := c.Client().Request(wire.SubjectSnapshot, []byte("{}"), 2*time.Second)
		if err != nil {
			return false // no manager leads yet
		}
		list, err := wire.DecodeSnapshot(answer.Data)
		if err != nil {
			s.TB.Fatal(err)
		}
		v = worlds.NewVouchers(&list.VoucherKey)
		return v.Ready()
	})
	return v
}

// Vouched adds to a world's announcement the voucher that a login server would have given
// it.
func (s *Stage) Vouched(world worlds.Node, e worlds.Effect) worlds.Effect {
	s.TB.Helper()
	if s.vouching == nil {
		s.vouching = s.Vouchers()
	}
	a := e.Announce
	a.Voucher = s.vouching.Make(worlds.VoucherClaimed, world, a.Account, worlds.Stay{Stamp: a.Stamp, Hop: a.Hop})
	return e
}
