package logic

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"testing"

	"github.com/cockroachdb/datadriven"

	"gatepass/codec"
	"gatepass/patches"
)

// scenarioVersions are those that scenarios know: beside the builds that are let in,
// 5302 and the native 3 are brought up to date by one file, and 6005 has to show its
// files.
type scenarioVersions struct {
	grunt, native []uint16
	file          *patches.File
}

// scenarioHMAC is that of the files of a client of build 6005.
var scenarioHMAC = [20]byte{0xf1}

func newScenarioVersions() *scenarioVersions {
	return &scenarioVersions{
		grunt: []uint16{5875, 6005, 6141, 8606, 12340},
		file:  &patches.File{ID: "p1", From: 5302, To: 5875, Size: 1000, MD5: [16]byte{0xd5}},
	}
}

func (v *scenarioVersions) Judge(c patches.Client) patches.Verdict {
	switch {
	case c.Protocol == codec.ProtocolNative && c.Build == 3, c.Protocol == codec.ProtocolGrunt && c.Build == 5302:
		offer := &codec.UpdateOffer{From: c.Build, To: v.file.To}
		return patches.Verdict{Update: v.file, Steps: 1, Total: v.file.Size, Offer: offer}
	case c.Protocol == codec.ProtocolNative:
		return patches.Verdict{Allowed: c.Build != 0 && (v.native == nil || slices.Contains(v.native, c.Build))}
	case c.Build == 6005 && c.System.String() == "Win":
		return patches.Verdict{Allowed: true, Known: [][20]byte{{1}, scenarioHMAC}}
	}
	return patches.Verdict{Allowed: slices.Contains(v.grunt, c.Build)}
}

// updateText is what a client is told of its update.
func updateText(r *codec.Reply) string {
	switch {
	case r.Kind == codec.ReplyTransferOffer && r.Native != nil:
		return fmt.Sprintf("size=%d from %d to %d", r.Offer.Size, r.Native.Update.From, r.Native.Update.To)
	case r.Kind == codec.ReplyTransferOffer:
		return fmt.Sprintf("size=%d md5=%x…", r.Offer.Size, r.Offer.MD5[:1])
	case r.Kind == codec.ReplyTransferQueued:
		return fmt.Sprintf("place=%d", r.Number)
	case r.Kind == codec.ReplyTransferFailed:
		return r.Ended.String()
	}
	return ""
}

func (e *scenario) StartTransfer(conn codec.Conn, t *codec.Transfer) bool {
	if !e.outFull {
		e.say("→ %d: %s of %d bytes from %d, window %d", conn.Slot(), t.Source.(*patches.File).ID, t.Size, t.Offset, t.Window)
	}
	return !e.outFull
}

var updateSteps = map[string]func(*scenario, *testing.T, *datadriven.TestData){
	"resume": stepResume, "cancel": stepMessage(codec.KindTransferCancel), "ended": stepEnded, "old": stepOld,
	"native-old": stepNativeOld, "versions": stepVersions,
}

// stepResume asks for the file from an offset on.
func stepResume(e *scenario, t *testing.T, d *datadriven.TestData) {
	var offset, window int
	d.ScanArgs(t, "offset", &offset)
	d.MaybeScanArgs(t, "window", &window)
	e.core.Step(FromClient(&codec.Message{Kind: codec.KindTransferResume, Conn: handle(t, d), Number: uint64(offset), Window: uint32(window)}))
}

// stepEnded is the reactor's word that a transfer is over.
func stepEnded(e *scenario, t *testing.T, d *datadriven.TestData) {
	m := codec.Message{Kind: codec.KindTransferEnded, Conn: handle(t, d)}
	switch {
	case d.HasArg("changed"):
		m.Ended = codec.TransferChanged
	case d.HasArg("fault"):
		m.Ended = codec.TransferFault
	}
	e.core.Step(FromClient(&m))
}

// stepOld is the way of a client of an old build up to its offer, stepNativeOld that of
// a native one.
func stepOld(e *scenario, t *testing.T, d *datadriven.TestData) {
	whole := *d
	whole.CmdArgs = append([]datadriven.CmdArg{{Key: "build", Vals: []string{"5302"}}}, d.CmdArgs...)
	stepLogin(e, t, &whole)
}

func stepNativeOld(e *scenario, t *testing.T, d *datadriven.TestData) {
	whole := *d
	whole.CmdArgs = append([]datadriven.CmdArg{{Key: "build", Vals: []string{"3"}}, {Key: "takes-updates"}}, d.CmdArgs...)
	stepNativeLogin(e, t, &whole)
}

// stepVersions has another catalogue: the old builds are let in.
func stepVersions(e *scenario, _ *testing.T, _ *datadriven.TestData) {
	v := newScenarioVersions()
	v.file, v.grunt = nil, append(v.grunt, 5302)
	e.core.Step(FromOperator(&Command{Kind: CommandVersions, Versions: allowed{v.grunt}}))
}

type allowed struct{ builds []uint16 }

func (a allowed) Judge(c patches.Client) patches.Verdict {
	return patches.Verdict{Allowed: slices.Contains(a.builds, c.Build)}
}

// scenarioFiles is a proof with that of the client's files, good where a script says
// files=good.
func scenarioFiles(d *datadriven.TestData) (p codec.Proof) {
	if argument(d, "files") == "good" {
		p.CRCHash = sha1.Sum(append(p.A[:], scenarioHMAC[:]...))
	}
	return p
}

func TestUpdateQueue_KeepsItsOrderAndForgetsWhoLeft(t *testing.T) {
	e := newScenario(t)
	e.options.UpdatesAtOnce = 1
	e.restart(t)
	const clients = 5000
	for i := range clients {
		s := e.core.sessions.open(codec.NewConn(0, i, 1))
		s.state, s.version = StateUpdating, &version{Verdict: patches.Verdict{Update: &patches.File{Size: 1}}}
		s.name[0], s.name[1] = byte(i), byte(i>>8)
		e.core.updates.join(s)
	}
	for i := 1; i < clients; i += 3 { // they leave the line
		s := e.core.sessions.get(codec.NewConn(0, i, 1))
		e.core.updates.leave(s)
		e.core.sessions.close(s)
	}
	served := 0
	for i := range clients {
		if i%3 == 1 {
			continue
		}
		s := e.core.sessions.get(codec.NewConn(0, i, 1))
		if s.version.stage != updateSending {
			t.Fatalf("client %d is in stage %d when its turn comes", i, s.version.stage)
		}
		served++
		e.core.updates.leave(s)
		e.core.updates.callNext()
	}
	if l := &e.core.updates; l.live != 0 || l.sending != 0 || len(l.of) != 0 || len(l.waiting) != 0 {
		t.Errorf("%d served; left %d live, %d sending, %d names, %d places", served, l.live, l.sending, len(l.of), len(l.waiting))
	}
}

func TestUpdateQueue_DoesNotGrowWithThoseWhoLeave(t *testing.T) {
	e := newScenario(t)
	e.options.UpdatesAtOnce = 1
	e.restart(t)
	generation := uint32(0)
	wait := func(slot int) *session {
		generation++
		s := e.core.sessions.open(codec.NewConn(0, slot, generation))
		s.state, s.version = StateUpdating, &version{Verdict: patches.Verdict{Update: &patches.File{Size: 1}}}
		s.name[0], s.name[1], s.name[2] = byte(slot), byte(slot>>8), 1
		e.core.updates.join(s)
		return s
	}
	served, first := wait(0), wait(1)
	for range 20_000 {
		s := wait(2)
		e.core.updates.leave(s)
		e.core.sessions.close(s)
	}
	last := wait(3)
	if l := &e.core.updates; len(l.waiting) > 4*placesRound || l.live != 2 {
		t.Errorf("%d places for %d who wait", len(l.waiting), l.live)
	}
	e.core.updates.leave(served)
	e.core.updates.callNext()
	if first.version.stage != updateSending || last.version.stage != updateWaiting {
		t.Errorf("the first in line is in stage %d, the last in %d", first.version.stage, last.version.stage)
	}
}
