package busserver_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"gatepass/worlds"
	"gatepass/worlds/bus/busserver"
	"gatepass/worlds/bus/bustest"
	"gatepass/worlds/bus/wire"
)

// rights is what a node may do, spelled out: the test does not share the table
// it tests.
type rights struct{ publish, subscribe []string }

// region is one of everything, and two where they could be mixed up.
func region() map[worlds.Node]rights {
	all := map[worlds.Node]rights{
		"manager.a": {
			publish: append([]string{
				"gatepass.worlds.change", "gatepass.worlds.pulse",
				"gatepass.end.world.7", "gatepass.end.login.eu1", "gatepass.end.world.8",
				"gatepass.place.world.7", "gatepass.place.login.eu1", "gatepass.place.world.8",
				"_INBOX.world.7.x", "_INBOX.world.8.x", "_INBOX.login.eu1.x", "_INBOX.admin.a.x", "$JS.API.INFO",
			}, bucketRights("gatepass_worlds", "gatepass_lease")...),
			subscribe: []string{
				"gatepass.world.*.register", "gatepass.world.*.beat", "gatepass.world.7.beat", "gatepass.world.8.beat",
				"gatepass.world.7.register", "gatepass.world.8.register",
				"gatepass.directory.>", "gatepass.directory.announce.world.7", "gatepass.directory.locate.world.7",
				"gatepass.directory.announce.world.8", "gatepass.directory.locate.world.8",
				"gatepass.directory.announce.login.eu1", "gatepass.directory.locate.login.eu1", "gatepass.directory.end.login.eu1",
				"gatepass.worlds.snapshot", "gatepass.admin.>", "gatepass.admin.reset",
				"gatepass.login.*.beat", "gatepass.login.eu1.beat", "_INBOX.manager.a.x",
			},
		},
		"dns.a":   {subscribe: []string{"gatepass.login.*.beat", "gatepass.login.eu1.beat", "_INBOX.dns.a.x"}},
		"admin.a": {publish: []string{"gatepass.worlds.snapshot", "gatepass.admin.reset", "gatepass.order.login"}, subscribe: []string{"_INBOX.admin.a.x"}},
		"login.eu1": {
			publish: []string{
				"gatepass.move.world.7.login.eu1", "gatepass.move.world.8.login.eu1", "gatepass.move.login.eu2.login.eu1",
				"gatepass.directory.announce.login.eu1", "gatepass.directory.locate.login.eu1", "gatepass.directory.end.login.eu1",
				"gatepass.worlds.snapshot", "gatepass.login.eu1.beat",
			},
			subscribe: []string{
				"gatepass.move.login.eu1.world.7", "gatepass.move.login.eu1.world.8", "gatepass.move.login.eu1.login.eu2",
				"gatepass.move.login.eu1.*.*", "gatepass.end.login.eu1", "gatepass.place.login.eu1",
				"gatepass.worlds.pulse", "gatepass.worlds.change", "_INBOX.login.eu1.x",
				"gatepass.world.*.characters", "gatepass.world.7.characters", "gatepass.world.8.characters",
				"gatepass.progress.login.eu1.world.*", "gatepass.progress.login.eu1.world.7", "gatepass.progress.login.eu1.world.8",
				"gatepass.order.login",
			},
		},
	}
	for _, id := range []string{"7", "8"} {
		all[worlds.Node("world."+id)] = rights{
			publish: []string{
				"gatepass.world." + id + ".register", "gatepass.world." + id + ".beat", "gatepass.world." + id + ".characters",
				"gatepass.move.login.eu1.world." + id, "gatepass.move.login.eu2.world." + id,
				"gatepass.progress.login.eu1.world." + id, "gatepass.progress.login.eu2.world." + id,
				"gatepass.directory.announce.world." + id, "gatepass.directory.locate.world." + id,
			},
			subscribe: []string{
				"gatepass.move.world." + id + ".login.*", "gatepass.move.world." + id + ".login.eu1", "gatepass.move.world." + id + ".login.eu2",
				"gatepass.end.world." + id, "gatepass.place.world." + id, "gatepass.worlds.pulse", "_INBOX.world." + id + ".x",
			},
		}
	}
	return all
}

func bucketRights(names ...string) (all []string) {
	for _, name := range names {
		all = append(all, "$KV."+name+".key", "$JS.API.STREAM.INFO.KV_"+name, "$JS.API.STREAM.MSG.GET.KV_"+name)
	}
	return all
}

// nobody are subjects that no node may touch.
var nobody = []string{
	">", "gatepass.>", "*.*.*.*.*.*", "gatepass.move.>", "gatepass.move.*.*.*.*", "gatepass.move.world.*.login.*", "gatepass.move.*.*.login.eu1",
	"gatepass.world.>", "gatepass.end.>.x", "_INBOX.>", "_INBOX.*.*.*", "_INBOX.world.>", "_INBOX.x", "$SYS.>", "$SYS.REQ.SERVER.PING",
	"gatepass.progress.>", "gatepass.progress.login.*.world.*", "gatepass.progress.login.eu1.*.*", "gatepass.progress.world.7.world.8",
	"gatepass.progress.login.eu1.login.eu2", "gatepass.order.>", "gatepass.order.world", "gatepass.order",
	"gatepass.move.world.7.world.8", "gatepass.move.world.8.world.7", "gatepass.world.7", "gatepass", "other",
	"$JS.API.STREAM.CREATE.KV_gatepass_worlds", "$JS.API.STREAM.UPDATE.KV_gatepass_worlds", "$JS.API.STREAM.DELETE.KV_gatepass_worlds",
	"$JS.API.STREAM.PURGE.KV_gatepass_worlds", "$JS.API.STREAM.CREATE.moves", "$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES",
	"$JS.API.STREAM.MSG.DELETE.KV_gatepass_worlds", "$JS.API.STREAM.SNAPSHOT.KV_gatepass_worlds", "$JS.API.DIRECT.GET.KV_gatepass_worlds",
	"$JS.API.>", "$JS.ACK.>", "$KV.gatepass_worlds.login.eu1", "$KV.other.key", "$KV.>",
}

func TestPermissions_NobodyMayDoMoreOrLess(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	all := region()
	subjects := slices.Clone(nobody)
	for _, r := range all {
		subjects = append(append(subjects, r.publish...), r.subscribe...)
	}
	slices.Sort(subjects)
	subjects = slices.Compact(subjects)
	for node, may := range all {
		t.Run(string(node), func(t *testing.T) {
			c := bustest.MustJoin(t, s, bustest.MustCreds(t, a, node))
			for _, subject := range subjects {
				if got, want := maySubscribe(t, c, subject), slices.Contains(may.subscribe, subject); got != want {
					t.Errorf("may subscribe to %s: %v, want %v", subject, got, want)
				}
				if strings.ContainsAny(subject, "*>") {
					continue // to publish there means no more than the letters
				}
				if got, want := mayPublish(t, c, subject), slices.Contains(may.publish, subject); got != want {
					t.Errorf("may publish to %s: %v, want %v", subject, got, want)
				}
			}
		})
	}
}

func mayPublish(tb testing.TB, c *nats.Conn, subject string) bool {
	tb.Helper()
	if err := c.Publish(subject, nil); err != nil {
		tb.Fatal(err)
	}
	return !refused(tb, c, `Publish to "`+subject+`"`)
}

func maySubscribe(tb testing.TB, c *nats.Conn, subject string) bool {
	tb.Helper()
	sub, err := c.SubscribeSync(subject)
	if errors.Is(err, nats.ErrBadSubject) {
		return false
	}
	if err != nil {
		tb.Fatal(err)
	}
	no := refused(tb, c, `Subscription to "`+subject+`"`)
	if err := sub.Unsubscribe(); err != nil && !no {
		tb.Fatal(err)
	}
	return !no
}

// refused tells whether the server's last refusal was this: it stands before the
// answer to the flush.
func refused(tb testing.TB, c *nats.Conn, what string) bool {
	tb.Helper()
	if err := c.Flush(); err != nil {
		tb.Fatal(err)
	}
	err := c.LastError()
	return errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), what)
}

// Nobody can make the manager speak under a subject of the asker's choice.
func TestPermissions_ManagerAnswersOnlyToInboxes(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	manager, login := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "manager.a")), bustest.MustJoin(t, s, bustest.MustCreds(t, a, "login.eu1"))
	if _, err := manager.Subscribe("gatepass.worlds.snapshot", func(m *nats.Msg) { _ = m.Respond([]byte("list")) }); err != nil {
		t.Fatal(err)
	}
	if err := manager.Flush(); err != nil {
		t.Fatal(err)
	}
	answer, err := login.Request("gatepass.worlds.snapshot", nil, bustest.Patience)
	if err != nil || string(answer.Data) != "list" {
		t.Fatalf("a request: %v", err)
	}
	const elsewhere = "gatepass.move.world.7.login.eu2"
	if err := login.PublishRequest("gatepass.worlds.snapshot", elsewhere, nil); err != nil {
		t.Fatal(err)
	}
	bustest.Eventually(t, "a refusal", func() bool { return refused(t, manager, `Publish to "`+elsewhere+`"`) })
}

// What JetStream itself sends goes past the permissions of whoever asks for it.
// A manager must not be able to use that to speak for a world: what comes under a
// move's subject tells by its own subject that it is none.
func TestPermissions_BucketsCannotForgeAMove(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	manager, login := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "manager.a")), bustest.MustJoin(t, s, bustest.MustCreds(t, a, "login.eu1"))
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Patience)
	defer cancel()
	if _, err := bustest.MustBucket(t, manager, wire.BucketWorlds).Put(ctx, "7", []byte("forged")); err != nil {
		t.Fatal(err)
	}
	const target = "gatepass.move.login.eu1.world.7"
	// A consumer is only woken by a subscription without wildcards.
	moves, err := login.SubscribeSync(target)
	if err != nil {
		t.Fatal(err)
	}
	if err := login.Flush(); err != nil {
		t.Fatal(err)
	}
	push := `{"stream_name":"KV_gatepass_worlds","config":{"name":"x","deliver_subject":"` + target + `","ack_policy":"none","deliver_policy":"all"}}`
	made, err := manager.Request("$JS.API.CONSUMER.CREATE.KV_gatepass_worlds.x", []byte(push), bustest.Patience)
	if err != nil || strings.Contains(string(made.Data), `"error"`) {
		t.Fatalf("the consumer is not made: %s, %v", made.Data, err)
	}
	got, err := moves.NextMsg(bustest.Patience)
	if err != nil {
		t.Fatal(err)
	}
	if got.Subject != "$KV.gatepass_worlds.7" {
		t.Errorf("it came as %s", got.Subject)
	}
	get := `{"last_by_subj":"$KV.gatepass_worlds.7"}`
	if err := manager.PublishRequest("$JS.API.STREAM.MSG.GET.KV_gatepass_worlds", target, []byte(get)); err != nil {
		t.Fatal(err)
	}
	if got, err = moves.NextMsg(bustest.Patience); err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(got.Data), `{"type":"io.nats.jetstream`) {
		t.Errorf("JetStream's answer is %q", got.Data)
	}
}

// All that the managers do with their buckets goes through.
func TestPermissions_ManagerUsesItsBuckets(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	manager := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "manager.a"))
	ctx, cancel := context.WithTimeout(context.Background(), bustest.Patience)
	defer cancel()
	for _, name := range []string{wire.BucketWorlds, wire.BucketLease} {
		kv := bustest.MustBucket(t, manager, name)
		first, err := kv.Create(ctx, "key", []byte("1"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Create(ctx, "key", nil); !errors.Is(err, jetstream.ErrKeyExists) {
			t.Errorf("%s: created twice: %v", name, err)
		}
		second, err := kv.Update(ctx, "key", []byte("2"), first)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := kv.Update(ctx, "key", nil, first); err == nil {
			t.Errorf("%s: an old revision was updated", name)
		}
		if e, err := kv.Get(ctx, "key"); err != nil || string(e.Value()) != "2" || e.Revision() != second {
			t.Errorf("%s: got %v: %v", name, e, err)
		}
		if err := watchOne(ctx, kv); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if keys, err := kv.Keys(ctx); err != nil || !slices.Equal(keys, []string{"key"}) {
			t.Errorf("%s: keys %v: %v", name, keys, err)
		}
		if err := kv.Delete(ctx, "key", jetstream.LastRevision(second)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func watchOne(ctx context.Context, kv jetstream.KeyValue) error {
	w, err := kv.WatchAll(ctx)
	if err != nil {
		return err
	}
	select {
	case e := <-w.Updates():
		if string(e.Value()) != "2" {
			err = fmt.Errorf("the watcher saw %q", e.Value())
		}
	case <-ctx.Done():
		err = ctx.Err()
	}
	return errors.Join(err, w.Stop())
}

// A world that speaks for another, and one that listens to another's moves: not
// only does the server say no, nothing arrives.
func TestPermissions_NothingArrivesPastARefusal(t *testing.T) {
	t.Parallel()
	a := bustest.MustAuthority(t)
	s := bustest.MustServer(t, busserver.Options{Dir: a.Dir()})
	manager, login := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "manager.a")), bustest.MustJoin(t, s, bustest.MustCreds(t, a, "login.eu1"))
	seven, eight := bustest.MustJoin(t, s, bustest.MustCreds(t, a, "world.7")), bustest.MustJoin(t, s, bustest.MustCreds(t, a, "world.8"))
	beats, _ := manager.SubscribeSync("gatepass.world.*.beat")
	right, _ := eight.SubscribeSync("gatepass.move.world.8.login.*")
	wrong, _ := seven.SubscribeSync("gatepass.move.world.8.login.*")
	for _, c := range []*nats.Conn{manager, eight, seven} {
		if err := c.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	for _, send := range []struct {
		from    *nats.Conn
		subject string
	}{
		{seven, "gatepass.world.8.beat"}, {seven, "gatepass.world.7.beat"}, {login, "gatepass.move.world.8.login.eu1"},
	} {
		if err := errors.Join(send.from.Publish(send.subject, nil), send.from.Flush()); err != nil {
			t.Fatal(err)
		}
	}
	if m, err := beats.NextMsg(bustest.Patience); err != nil || m.Subject != "gatepass.world.7.beat" {
		t.Errorf("the first beat is %v: %v", m, err)
	}
	if _, err := right.NextMsg(bustest.Patience); err != nil {
		t.Errorf("the move did not arrive: %v", err)
	}
	if n, _, err := wrong.Pending(); err == nil && n > 0 {
		t.Error("the move arrived at the wrong world too")
	}
}
