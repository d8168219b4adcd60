package client

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"gatepass/client"
)

// stage is the player's progress with a world.
type stage uint8

const (
	// stageIdle: no world is selected.
	stageIdle stage = iota
	// stageAsking: the client has requested a pass.
	stageAsking
	// stagePass: the client has a pass and has not used it.
	stagePass
	// stageEntering: in the gate handshake or in the queue.
	stageEntering
	// stageIn: in the world.
	stageIn
)

func (s stage) String() string {
	return [...]string{"idle", "asking", "pass", "entering", "in"}[s]
}

// deed is the kind of a player's order.
type deed uint8

const (
	// deedSelect selects the world of the order.
	deedSelect deed = iota + 1
	// deedRelease releases the pass, or leaves the world.
	deedRelease
	// deedEnter uses the pass as soon as it arrives.
	deedEnter
	// deedCode answers the request for a second factor.
	deedCode
	// deedUpdate accepts the offered update.
	deedUpdate
	// deedQuit ends the program.
	deedQuit
)

func (d deed) String() string {
	return [...]string{"unknown", "select", "release", "enter", "code", "update", "quit"}[d]
}

// order is one request of the player.
type order struct {
	deed  deed
	world uint8
	// code is a secret.
	code string
}

// String omits the code.
func (o order) String() string {
	if o.deed == deedSelect {
		return fmt.Sprintf("select %d", o.world)
	}
	return o.deed.String()
}

// GoString returns the same as String.
func (o order) GoString() string { return o.String() }

// maxOrders is how many orders can wait for the player's loop. Further keys are
// dropped.
const maxOrders = 16

// News for the screen or for printing, in addition to the events of package client.
type (
	signedInNews struct{ account string }
	worldsNews   struct {
		list  []client.World
		stale bool
	}
	// askingNews: the client requests a pass for the world.
	askingNews struct{ world uint8 }
	passNews   struct{ pass *client.Pass }
	// enteringNews: the client has started to enter.
	enteringNews struct{ world uint8 }
	// enteredNews: the player is in the world.
	enteredNews struct{ world uint8 }
	// leftNews: the world has ended the connection.
	leftNews struct {
		world uint8
		err   error
	}
	// releasedNews: no world holds a pass of the player.
	releasedNews struct{}
	// refusedNews: the player's order failed.
	refusedNews struct {
		deed  deed
		world uint8
		err   error
	}
	// notRememberedNews: the device could not be remembered.
	notRememberedNews struct{ err error }
	// forgottenNews: this device has no token any more. had says whether it had one.
	forgottenNews struct{ had bool }
	// codeNews: a second factor is requested.
	codeNews struct{ factor client.Factor }
)

// firstPick returns the order for --world, if --world names a world.
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

// worldNames returns names with ids, for people.
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

// seconds converts a duration for JSON.
func seconds(d time.Duration) float64 {
	return float64(d.Round(time.Millisecond).Milliseconds()) / 1000
}
