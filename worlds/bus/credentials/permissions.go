package credentials

import (
	"strings"

	"github.com/nats-io/jwt/v2"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

// access holds the subjects that a kind of nodes may use. {id} stands for the node's name,
// {node} for its kind and name.
type access struct{ publish, subscribe []string }

// accessOf returns the permissions of a kind. An unknown kind has none.
//
// A manager may answer in the inboxes of nodes only. NATS could permit answers to any reply
// subject; then a login server could make the manager publish under any subject.
func accessOf(kind string) access {
	switch kind {
	case worlds.KindWorld:
		return access{
			publish: []string{
				"gatepass.world.{id}.register", "gatepass.world.{id}.beat", "gatepass.world.{id}.characters",
				"gatepass.move.login.*.{node}", "gatepass.progress.login.*.{node}",
				"gatepass.directory.announce.{node}", "gatepass.directory.locate.{node}",
			},
			subscribe: []string{
				"gatepass.move.{node}.login.*", "gatepass.end.{node}", "gatepass.place.{node}", "gatepass.worlds.pulse",
			},
		}
	case worlds.KindLogin:
		return access{
			publish: []string{
				"gatepass.move.*.*.{node}",
				"gatepass.directory.announce.{node}", "gatepass.directory.locate.{node}", "gatepass.directory.end.{node}",
				"gatepass.worlds.snapshot", "gatepass.login.{id}.beat",
			},
			subscribe: []string{
				"gatepass.move.{node}.*.*", "gatepass.end.{node}", "gatepass.place.{node}",
				"gatepass.worlds.pulse", "gatepass.worlds.change", "gatepass.world.*.characters",
				"gatepass.progress.{node}.world.*", "gatepass.order.login",
			},
		}
	case worlds.KindManager:
		return managerAccess()
	case worlds.KindDNS:
		return access{subscribe: []string{"gatepass.login.*.beat"}}
	case worlds.KindAdmin:
		return access{publish: []string{"gatepass.worlds.snapshot", "gatepass.admin.>", "gatepass.order.login"}}
	}
	return access{}
}

func managerAccess() access {
	a := access{
		publish: []string{
			"gatepass.worlds.change", "gatepass.worlds.pulse", "gatepass.end.>", "gatepass.place.>",
			"_INBOX.world.*.>", "_INBOX.login.*.>", "_INBOX.admin.*.>",
			"$JS.API.INFO",
		},
		subscribe: []string{
			"gatepass.world.*.register", "gatepass.world.*.beat", "gatepass.directory.>",
			"gatepass.worlds.snapshot", "gatepass.admin.>", "gatepass.login.*.beat",
		},
	}
	for _, bucket := range []string{wire.BucketWorlds, wire.BucketLease} {
		stream := wire.StreamOf(bucket)
		a.publish = append(a.publish,
			// Keys of one token only: a watcher can have a value sent to any subject, with
			// the key as its subject. A key of one token never ends like a node's name.
			"$KV."+bucket+".*",
			"$JS.API.STREAM.INFO."+stream, "$JS.API.STREAM.MSG.GET."+stream,
			"$JS.API.CONSUMER.CREATE."+stream+".>", "$JS.API.CONSUMER.INFO."+stream+".*", "$JS.API.CONSUMER.DELETE."+stream+".*",
			"$JS.FC."+stream+".>",
		)
	}
	return a
}

// setupAccess returns the permissions of the server's own user, which only creates the
// buckets.
func setupAccess() access {
	var a access
	a.publish = []string{"$JS.API.INFO"}
	for _, bucket := range []string{wire.BucketWorlds, wire.BucketLease} {
		for _, verb := range []string{"CREATE", "UPDATE", "INFO"} {
			a.publish = append(a.publish, "$JS.API.STREAM."+verb+"."+wire.StreamOf(bucket))
		}
	}
	return a
}

// PermissionsFor returns the subjects that a node may publish and subscribe to. Every node
// may subscribe to its own inbox only.
func PermissionsFor(node worlds.Node) jwt.Permissions {
	return accessOf(node.Kind()).permissions(node)
}

func (a access) permissions(node worlds.Node) jwt.Permissions {
	fill := strings.NewReplacer("{id}", node.Name(), "{node}", string(node))
	var p jwt.Permissions
	for _, s := range a.publish {
		p.Pub.Allow.Add(fill.Replace(s))
	}
	for _, s := range append(a.subscribe, "_INBOX.{node}.>") {
		p.Sub.Allow.Add(fill.Replace(s))
	}
	if len(p.Pub.Allow) == 0 {
		// For NATS an empty list allows everything.
		p.Pub.Deny.Add(">")
	}
	return p
}
