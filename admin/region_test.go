package admin

import (
	"context"
	"errors"
	"log/slog"
	"reflect"
	"testing"

	"gatepass/worlds"
)

// fakeRegion notes what it is asked for.
type fakeRegion struct {
	orders []worlds.Order
	resets int
	fault  error
}

func (r *fakeRegion) Worlds(context.Context) (worlds.Snapshot, error) {
	seven := worlds.Entry{Registration: worlds.Registration{World: worlds.World{ID: 7, Name: "Seven", Address: "192.0.2.7:8085"}}}
	nine := worlds.Entry{Registration: worlds.Registration{World: worlds.World{ID: 9, Offline: true}}}
	return worlds.Snapshot{Entries: []worlds.Entry{seven, nine}}, r.fault
}

func (r *fakeRegion) Logins(context.Context) ([]worlds.LoginBeat, error) {
	return []worlds.LoginBeat{{Node: worlds.LoginNode("eu1"), Address: "192.0.2.1:3724", Conns: 3, MaxConns: 9, Draining: true}}, r.fault
}

func (r *fakeRegion) Reset(context.Context) error { r.resets++; return r.fault }

func (r *fakeRegion) Order(_ context.Context, o worlds.Order) error {
	r.orders = append(r.orders, o)
	return r.fault
}

func TestRegionCommands(t *testing.T) {
	region := new(fakeRegion)
	h := newHandler(Services{Region: region}, slog.New(slog.DiscardHandler))
	for _, c := range []struct{ command, body, want string }{
		{"world.list", `{}`, `200 {"id":7,"name":"Seven","offline":false,"address":"192.0.2.7:8085","players":0,"capacity":0,"queue":0,"load":0}` + "\n" +
			`{"id":9,"name":"","offline":true,"address":"","players":0,"capacity":0,"queue":0,"load":0}`},
		{"login.list", `{}`, `200 {"name":"eu1","address":"192.0.2.1:3724","connections":3,"max":9,"draining":true}`},
		{"world.reset", `{}`, `200 `},
		{"notice.send", `{"text":"hello"}`, `200 `},
		{"maintenance.set", `{"on":true}`, `200 `},
		{"maintenance.set", `{"off":true}`, `400 {"error":"protocol"}`},
	} {
		if got := answer(h, c.command, c.body); got != c.want {
			t.Errorf("%s: %s, want %s", c.command, got, c.want)
		}
	}
	on := true
	if want := []worlds.Order{{Notice: "hello"}, {Maintenance: &on}}; !reflect.DeepEqual(region.orders, want) || region.resets != 1 {
		t.Errorf("%+v, %d resets", region.orders, region.resets)
	}
	region.fault = errors.New("no bus")
	for _, command := range []string{"world.list", "login.list", "world.reset", "notice.send", "maintenance.set"} {
		if got, want := answer(h, command, `{}`), `500 {"error":"internal"}`; got != want {
			t.Errorf("%s without a bus: %s", command, got)
		}
		none := newHandler(Services{}, slog.New(slog.DiscardHandler))
		if got, want := answer(none, command, `{}`), `400 {"error":"protocol"}`; got != want {
			t.Errorf("%s where it is not served: %s", command, got)
		}
	}
	if (NoticeRequest{}).Validate() == nil || (NoticeRequest{Text: "hello"}).Validate() != nil {
		t.Error("a notice is not checked")
	}
}
