package config

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"gatepass/codec/world"
	"gatepass/storage"
	"gatepass/worlds"
	"gatepass/worlds/gate"
)

// defaultKind is the kind of a world without a kind in the configuration.
const defaultKind = "normal"

// WorldList returns the worlds of the configuration, which do not register with a world
// manager. The error has every fault of every world.
func (c *Config) WorldList() ([]worlds.World, error) {
	var faults []error
	var list []worlds.World
	for i := range c.Worlds {
		w, err := c.Worlds[i].world()
		if err != nil {
			faults = append(faults, fmt.Errorf("worlds: %w", err))
			continue
		}
		list = append(list, w)
	}
	faults = append(faults, worlds.NewList(worlds.EncodeGrunt).SetStatic(list))
	return list, errors.Join(faults...)
}

// world returns the world as the list of worlds takes it.
func (w *World) world() (worlds.World, error) {
	kind, err := worlds.ParseKind(cmp.Or(w.Kind, defaultKind))
	if err != nil {
		return worlds.World{}, fmt.Errorf("%q: %w", w.Name, err)
	}
	return worlds.World{
		ID: w.ID, Name: w.Name, Address: w.Address, Kind: kind, Category: w.Category,
		Population: w.Population, Offline: w.Offline, Locked: w.Locked, Builds: w.Builds,
	}, nil
}

// ParseSecondLogin reads what happens to a login to an account that is in a world.
func ParseSecondLogin(rule string) (worlds.SecondLogin, error) {
	switch rule {
	case "replace":
		return worlds.SecondLoginReplace, nil
	case "refuse":
		return worlds.SecondLoginRefuse, nil
	}
	return 0, fmt.Errorf("%q is neither replace nor refuse", rule)
}

// Registration returns what the gateway's world says of itself. incarnation tells this
// start of the process from others.
func (c *Config) Registration(incarnation uint64) (worlds.Registration, error) {
	g := &c.Gateway
	w, err := g.world()
	if err != nil {
		return worlds.Registration{}, fmt.Errorf("gateway: %w", err)
	}
	w.Native, w.NativeBuilds = g.NativeAddress, g.NativeBuilds
	r := worlds.Registration{World: w, Region: g.Region, Incarnation: incarnation, Capacity: uint32(max(0, g.Capacity))}
	var faults []error
	for _, route := range g.Routes {
		network, err := netip.ParsePrefix(route.Network)
		if err != nil {
			faults = append(faults, fmt.Errorf("routes: %q is no network such as 10.0.0.0/8", route.Network))
			continue
		}
		r.Routes = append(r.Routes, worlds.Route{Network: network, Address: route.Address, Native: route.Native})
	}
	if _, err := world.New(world.Options{Builds: r.Builds}); err != nil {
		faults = append(faults, fmt.Errorf("builds: %w", err))
	}
	checked := r
	for _, at := range []struct{ told, listen, key string }{
		{checked.Address, g.Listen, "address"}, {checked.Native, g.NativeListen, "native-address"},
	} {
		// Without an address of its own, clients are told where the gate listens.
		if at.told == "" && at.listen != "" && worlds.EveryAddress(at.listen) {
			faults = append(faults, fmt.Errorf("%s: clients cannot reach %s; set gateway.%s to what they can", at.key, at.listen, at.key))
		}
	}
	if checked.Native != "" && g.NativeListen == "" {
		faults = append(faults, errors.New("native-address: nobody listens there; set gateway.native-listen"))
	}
	checked.Address, checked.Native = orListen(checked.Address, g.Listen), orListen(checked.Native, g.NativeListen)
	if faults = append(faults, checked.Validate()); errors.Join(faults...) != nil {
		return r, fmt.Errorf("gateway: %w", errors.Join(faults...))
	}
	return r, nil
}

// orListen returns the address that clients are told: told, or where the gate listens if
// told is empty. It replaces port 0, which takes a free port, by a port that passes the
// checks.
func orListen(told, listen string) string {
	if told != "" {
		return told
	}
	if strings.HasSuffix(listen, ":0") {
		return listen + "1"
	}
	return listen
}

// Classes returns the function that puts accounts with priority into a queue of their
// own.
func (g *Gateway) Classes() (func(account string) gate.Class, error) {
	ahead := make(map[string]bool, len(g.Priority))
	for _, raw := range g.Priority {
		name, err := storage.FoldName(raw)
		if err != nil {
			return nil, fmt.Errorf("gateway.priority: %q: %w", raw, err)
		}
		ahead[name.String()] = true
	}
	return func(account string) gate.Class {
		if ahead[account] {
			return 1
		}
		return 0
	}, nil
}
