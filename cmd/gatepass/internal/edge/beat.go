package edge

import (
	"net/netip"

	"gatepass/worlds"
	"gatepass/worlds/bus"
)

// startBeat begins to send heartbeats to DNS and operators, once the server serves.
func (e *Edge) startBeat() error {
	if e.conn == nil {
		return nil
	}
	stop, err := e.conn.BeatLogin(bus.LoginBeatEvery, e.beat)
	if err == nil {
		e.stopBeat = stop
	}
	return err
}

// beat returns the heartbeat of now.
func (e *Edge) beat() worlds.LoginBeat {
	st := e.server.Stats()
	return worlds.LoginBeat{
		Node: worlds.LoginNode(e.config.Node), Address: e.advertised(), Native: e.advertisedNative(),
		Conns: uint32(st.Conns), MaxConns: uint32(st.MaxConns), Draining: e.draining.Load(),
	}
}

// advertised returns where clients reach this server: as configured, or where it listens.
func (e *Edge) advertised() string {
	if e.config.Advertise != e.config.Grunt {
		return e.config.Advertise
	}
	return e.server.Addr().String()
}

// advertisedNative returns where native clients reach this server: the advertised address
// with the port for native clients.
func (e *Edge) advertisedNative() string {
	host, err := netip.ParseAddrPort(e.advertised())
	if e.config.Native == "" || err != nil {
		return ""
	}
	return netip.AddrPortFrom(host.Addr(), e.server.AddrOf(1).Port()).String()
}
