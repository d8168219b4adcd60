package admin

import (
	"context"

	"gatepass/worlds"
)

// Region is the bus, reached with an operator's credentials; bus.Conn is one. What it
// sends to login servers it sends to every one that is on the bus.
type Region interface {
	Worlds(ctx context.Context) (worlds.Snapshot, error)
	Logins(ctx context.Context) ([]worlds.LoginBeat, error)
	Reset(ctx context.Context) error
	Order(ctx context.Context, o worlds.Order) error
}

// World is a world as the leading world manager sees it.
type World struct {
	ID       uint8   `json:"id"`
	Name     string  `json:"name"`
	Region   string  `json:"region,omitempty"`
	Offline  bool    `json:"offline"`
	Address  string  `json:"address"`
	Native   string  `json:"native,omitempty"`
	Players  uint32  `json:"players"`
	Capacity uint32  `json:"capacity"`
	Queue    uint32  `json:"queue"`
	Load     float32 `json:"load"`
}

// LoginServer is a login server as the leading world manager hears it.
type LoginServer struct {
	Name     string `json:"name"`
	Address  string `json:"address"`
	Native   string `json:"native,omitempty"`
	Conns    uint32 `json:"connections"`
	MaxConns uint32 `json:"max"`
	Draining bool   `json:"draining"`
}

// NoticeRequest asks every login server to show its players a text.
type NoticeRequest struct {
	// Text is one line of at most worlds.MaxNotice bytes.
	Text string `json:"text"`
}

// Validate says what is wrong with the text.
func (q NoticeRequest) Validate() error { o := q.order(); return o.Validate() }

func (q NoticeRequest) order() worlds.Order { return worlds.Order{Notice: q.Text} }

// MaintenanceRequest asks every login server to refuse logins, or to take them again.
type MaintenanceRequest struct {
	On bool `json:"on"`
}

// regionCommands are the commands that go over the bus.
func regionCommands() []command {
	return []command{ListWorlds(), ResetWorlds(), ListLogins(), SendNotice(), SetMaintenance()}
}

// ListWorlds lists the worlds.
func ListWorlds() Command[None, World] {
	return Command[None, World]{
		Info: Info{Name: "world.list", May: PermissionRead, Audit: "list-worlds"},
		do: func(ctx context.Context, s *Services, _ *None, tell func(World) error) error {
			if s.Region == nil {
				return ErrProtocol
			}
			list, err := s.Region.Worlds(ctx)
			for i := range list.Entries {
				e := &list.Entries[i]
				if err == nil {
					err = tell(World{e.ID, e.Name, e.Region, e.Offline, e.Address, e.Native, e.Players, e.Capacity, e.Queue, e.Load})
				}
			}
			return err
		},
	}
}

// ListLogins lists the login servers.
func ListLogins() Command[None, LoginServer] {
	return Command[None, LoginServer]{
		Info: Info{Name: "login.list", May: PermissionRead, Audit: "list-logins"},
		do: func(ctx context.Context, s *Services, _ *None, tell func(LoginServer) error) error {
			if s.Region == nil {
				return ErrProtocol
			}
			logins, err := s.Region.Logins(ctx)
			for _, l := range logins {
				if err == nil {
					err = tell(LoginServer{l.Node.Name(), l.Address, l.Native, l.Conns, l.MaxConns, l.Draining})
				}
			}
			return err
		},
	}
}

// ResetWorlds empties the list of worlds. Worlds that run register again.
func ResetWorlds() Command[None, None] {
	return regionChange(Info{Name: "world.reset", Audit: "reset-worlds"}, func(ctx context.Context, r Region, _ *None) error { return r.Reset(ctx) })
}

// SendNotice shows every connected player a text.
func SendNotice() Command[NoticeRequest, None] {
	return regionChange(Info{Name: "notice.send", Audit: "notice"}, func(ctx context.Context, r Region, q *NoticeRequest) error {
		return r.Order(ctx, q.order())
	})
}

// SetMaintenance lets nobody log in, or lets players in again.
func SetMaintenance() Command[MaintenanceRequest, None] {
	return regionChange(Info{Name: "maintenance.set", Audit: "maintenance"}, func(ctx context.Context, r Region, q *MaintenanceRequest) error {
		return r.Order(ctx, worlds.Order{Maintenance: &q.On})
	})
}

// regionChange is a command that changes something in the region and has no result.
func regionChange[Q any](info Info, change func(context.Context, Region, *Q) error) Command[Q, None] {
	info.May, info.Changes = PermissionRegion, true
	return Command[Q, None]{Info: info, do: func(ctx context.Context, s *Services, q *Q, _ func(None) error) error {
		if s.Region == nil {
			return ErrProtocol
		}
		return change(ctx, s.Region, q)
	}}
}
