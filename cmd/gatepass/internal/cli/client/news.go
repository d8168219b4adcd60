package client

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatepass/client"
)

// stage is how far the player is with a world.
type stage uint8

const (
	// stageIdle: no world is picked.
	stageIdle stage = iota
	// stageAsking: a pass is asked for.
	stageAsking
	// stagePass: the pass is here, unused.
	stagePass
	// stageEntering: on the way through the gate or in its queue.
	stageEntering
	// stageIn: in the world.
	stageIn
)

func (s stage) String() string {
	return [...]string{"idle", "asking", "pass", "entering", "in"}[s]
}

// deed is what a player may want.
type deed uint8

const (
	// deedSelect picks the world of the order.
	deedSelect deed = iota + 1
	// deedRelease gives the world back, or leaves it.
	deedRelease
	// deedEnter uses the pass, as soon as it is there.
	deedEnter
	// deedCode answers the wish for a second factor.
	deedCode
	// deedUpdate takes the update that is offered.
	deedUpdate
	// deedQuit leaves the program.
	deedQuit
)

func (d deed) String() string {
	return [...]string{"unknown", "select", "release", "enter", "code", "update", "quit"}[d]
}

// order is one wish of the player.
type order struct {
	deed  deed
	world uint8
	// code is a secret.
	code string
}

// String leaves the code out.
func (o order) String() string {
	if o.deed == deedSelect {
		return fmt.Sprintf("select %d", o.world)
	}
	return o.deed.String()
}

// GoString is String.
func (o order) GoString() string { return o.String() }

// maxOrders wait for the player's loop; a key pressed when they do is lost.
const maxOrders = 16

// What is told to the screen or printed, beside the events of package client.
type (
	signedInNews struct{ account string }
	worldsNews   struct {
		list  []client.World
		stale bool
	}
	// askingNews: a pass for the world is being asked for.
	askingNews struct{ world uint8 }
	passNews   struct{ pass *client.Pass }
	// enteringNews: the way through the gate has begun.
	enteringNews struct{ world uint8 }
	// enteredNews: the player is in.
	enteredNews struct{ world uint8 }
	// leftNews: the world has ended the connection.
	leftNews struct {
		world uint8
		err   error
	}
	// releasedNews: no world holds a pass.
	releasedNews struct{}
	// refusedNews: what the player wanted did not happen.
	refusedNews struct {
		deed  deed
		world uint8
		err   error
	}
	// notRememberedNews: the device was to be remembered.
	notRememberedNews struct{ err error }
	// forgottenNews: this device has no token any more; had says that it had one.
	forgottenNews struct{ had bool }
	// codeNews: a second factor is wanted.
	codeNews struct{ factor client.Factor }
)

// firstPick is the order for --world, if that names one.
func firstPick(wanted string, list []client.World) ([]order, error) {
	if wanted == "" {
		return nil, nil
	}
	id, err := strconv.ParseUint(wanted, 10, 8)
	at := slices.IndexFunc(list, func(w client.World) bool {
		return err == nil && uint64(w.ID) == id || strings.EqualFold(w.Name, wanted)
	})
	if at < 0 {
		return nil, fmt.Errorf("there is no world %q; there are: %s", wanted, worldNames(list))
	}
	return []order{{deed: deedSelect, world: list[at].ID}}, nil
}

// worldNames are names with ids, for people.
func worldNames(list []client.World) string {
	if len(list) == 0 {
		return "none"
	}
	var names []string
	for _, w := range list {
		names = append(names, fmt.Sprintf("%s (%d)", printable(w.Name), w.ID))
	}
	return strings.Join(names, ", ")
}

// seconds for JSON.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}
