package logic

import (
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/world"
	"gatepass/worlds"
)

// peerNode is the other node of a scenario's region.
const peerNode = worlds.Node("world.7")

// scenarioRegion is what is beyond the bus: a world with keys of its own, which
// answers by the real machine, and a list of worlds that changes when the script
// says so.
type scenarioRegion struct {
	e     *scenario
	peer  *worlds.Passes[int]
	list  string
	needs worlds.MemberNeeds
	cut   bool
	stale bool
	// refuses is why the world takes no passes just now.
	refuses worlds.Reason
	drawn   byte
	// careless: the world gives keys away whatever a client's proof is.
	careless bool
}

func newScenarioRegion(e *scenario) *scenarioRegion {
	r := &scenarioRegion{e: e, list: "first"}
	r.peer = worlds.NewPasses(worlds.PassOptions[int]{
		Self: peerNode, Incarnation: 1,
		Takes: func(worlds.Node, *worlds.Move) worlds.Reason { return r.refuses },
		Verify: func(h *worlds.Held[int], proof *worlds.Proof) bool {
			want := srp6.ReconnectProof(h.Account.Bytes(), &proof.Client, &proof.Challenge, &e.key)
			return h.Key() != nil && (want == proof.Digest || r.careless)
		},
		Gives: func(worlds.Node) bool { return true },
	})
	r.peer.Tick(e.now.UnixMilli())
	return r
}

// Submit is the Bus.
func (r *scenarioRegion) Submit(effects []worlds.Effect) {
	for _, f := range effects {
		switch {
		case f.Move != nil:
			r.e.say("bus: %v of %s to %s", f.Move.Kind, f.Move.Account, f.To)
			if !r.cut {
				r.peer.Handle(r.e.core.options.Node, f.Move)
			}
		case f.Announce != nil:
			r.e.say("bus: announce %s kind=%d hop=%d", f.Announce.Account, f.Announce.Kind, f.Announce.Hop)
		case f.Locate != nil:
			r.e.say("bus: locate %s", f.Locate.Account)
		case f.End != nil:
			r.e.say("bus: end %s (%s)", f.End.Account, f.End.Why)
		case f.AskSnapshot:
			r.e.say("bus: ask for the list")
		}
	}
}

// settle lets both sides talk until neither has anything to say.
func (r *scenarioRegion) settle() {
	if r == nil {
		return
	}
	r.peer.Tick(r.e.now.UnixMilli())
	for {
		var back []worlds.Move
		for _, m := range r.peer.Outgoing() {
			back = append(back, m.Move)
		}
		for _, o := range r.peer.Outcomes() {
			r.e.say("%s: %v %s (%v)", peerNode, o.Kind, o.Account, o.Reason)
		}
		if len(back) == 0 || r.cut {
			return
		}
		for i := range back {
			r.e.core.Step(FromBus(&worlds.Event{From: peerNode, Move: &back[i]}))
		}
		r.e.core.Flush()
	}
}

func (r *scenarioRegion) Change(*worlds.Change, int64) worlds.MemberNeeds     { return r.needs }
func (r *scenarioRegion) Snapshot(*worlds.Snapshot, int64) worlds.MemberNeeds { return r.needs }
func (r *scenarioRegion) Pulse(*worlds.Pulse, int64) worlds.MemberNeeds       { return r.needs }
func (r *scenarioRegion) Tick(int64) worlds.MemberNeeds                       { return worlds.MemberNeeds{} }
func (r *scenarioRegion) Stale() bool                                         { return r.stale }

// stepPlace is the directory's answer to a locate.
func stepPlace(e *scenario, t *testing.T, d *datadriven.TestData) {
	var name, holder string
	d.ScanArgs(t, "name", &name)
	d.MaybeScanArgs(t, "holder", &holder)
	account, _ := codec.NameOf(name)
	e.core.Step(FromBus(&worlds.Event{Place: &worlds.Place{Account: account, Holder: worlds.Node(holder), Tag: uint64(handle(t, d))}}))
}

// stepClaim lets a client knock at the world with what it has of the key.
func stepClaim(e *scenario, t *testing.T, d *datadriven.TestData) {
	account, _ := codec.NameOf(d.CmdArgs[0].Key)
	proof := &worlds.Proof{World: true, ClientSeed: [4]byte{1}, ServerSeed: [4]byte{2}}
	key := e.key
	if d.HasArg("wrong") {
		key[0]++
	}
	proof.Digest = world.Digest(account.Bytes(), proof.ClientSeed, proof.ServerSeed, (*[40]byte)(&key))
	e.region.drawn++
	if err := e.region.peer.Claim(worlds.PassID{e.region.drawn}, account, e.core.options.Node, proof); err != nil {
		t.Fatal(err)
	}
}

// stepHold puts an account's key into the world, as if it had gone there.
func stepHold(e *scenario, _ *testing.T, d *datadriven.TestData) {
	account, _ := codec.NameOf(d.CmdArgs[0].Key)
	key := worlds.NewSecret(e.key[:])
	e.core.Step(FromBus(&worlds.Event{Snapshot: &worlds.Snapshot{VoucherKey: worlds.NewSecret(make([]byte, worlds.VoucherKeySize))}}))
	stay := worlds.Stay{Stamp: worlds.NewStamp(e.now.UnixMilli(), 5)}
	if !d.HasArg("unvouched") {
		stay.Voucher = e.core.keys.vouchers.Make(worlds.VoucherClaimed, peerNode, account, stay)
	}
	e.region.careless = d.HasArg("careless")
	e.region.peer.HoldAt(account, stay, &key)
}

func stepEnd(e *scenario, _ *testing.T, d *datadriven.TestData) {
	account, _ := codec.NameOf(d.CmdArgs[0].Key)
	end := worlds.End{Account: account, Why: "second login"}
	if d.HasArg("online") {
		end.Why = worlds.WhyOnline
	}
	if d.HasArg("older") {
		end.Stamp = 1
	}
	e.core.Step(FromBus(&worlds.Event{End: &end}))
}

func stepListChanges(e *scenario, _ *testing.T, d *datadriven.TestData) {
	e.region.list = d.CmdArgs[0].Key
	e.region.needs = worlds.MemberNeeds{Changed: !d.HasArg("figures"), Figures: d.HasArg("figures")}
	e.core.Step(FromBus(&worlds.Event{Change: &worlds.Change{}}))
}

func stepUp(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	e.core.Step(FromBus(&worlds.Event{Up: true}))
}

func stepNewManager(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	e.region.needs = worlds.MemberNeeds{NewEpoch: true, AskSnapshot: true}
	e.core.Step(FromBus(&worlds.Event{Pulse: &worlds.Pulse{}}))
}

func stepCharacters(e *scenario, t *testing.T, d *datadriven.TestData) {
	var name string
	var count int
	d.ScanArgs(t, "name", &name)
	d.ScanArgs(t, "count", &count)
	account, _ := codec.NameOf(name)
	e.core.Step(FromBus(&worlds.Event{Characters: &worlds.Characters{
		World: 7, Counts: []worlds.CharacterCount{{Account: account, Count: uint8(count)}},
	}}))
}

// stepCut cuts the bus, or mends it.
func stepCut(e *scenario, _ *testing.T, d *datadriven.TestData) { e.region.cut = !d.HasArg("off") }
