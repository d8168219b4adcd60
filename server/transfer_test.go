package server

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/deadline"
)

func TestTransfer_ArrivesExactly(t *testing.T) {
	r := newCarrierRig(t, nil)
	for _, c := range []struct{ size, offset uint64 }{
		{0, 0}, {1, 0}, {1, 1}, {carrierData - 1, 0}, {carrierData, 0}, {carrierData + 1, 0},
		{3<<20 + 17, 0}, {3<<20 + 17, 1<<20 + 5}, {3<<20 + 17, 3<<20 + 16},
	} {
		t.Run(fmt.Sprintf("size=%d/from=%d", c.size, c.offset), func(t *testing.T) {
			client, h := r.open()
			before := r.Stats().TransferBytes
			r.start(h, codec.Transfer{Source: &content{}, Size: c.size, Offset: c.offset})
			a := listen(t, client, c.offset)
			a.until(c.size)
			if n := r.endedFor(h, codec.TransferDone); n != c.size {
				t.Errorf("ended at %d", n)
			}
			r.Queue().SendLast(h, numbered(5)) // the number shows that nothing is missing
			r.Queue().Flush()
			a.reply(5)
			r.closedFor(h, codec.CloseLogic)
			if n := uint64(r.settled().TransferBytes - before); n != c.size-c.offset {
				t.Errorf("%d bytes were counted", n)
			}
		})
	}
	r.nothingLeft()
}

// A second file is sent on the same connection after the first has ended.
func TestTransfer_OneBehindAnother(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	narrow(t, client)
	a := listen(t, client, 0)
	r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 20})
	a.until(1 << 20)
	r.endedFor(h, codec.TransferDone)
	a.at = 0
	r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 20})
	a.until(1 << 20)
	eventually(t, "both ended", func() bool { return r.Stats().TransfersEnded[codec.TransferDone] == 2 })
	r.nothingLeft()
}

func TestTransfer_OtherFrames(t *testing.T) {
	r := newRig(t, func(o *Options) { o.Listeners[0].Protocol = func() Session { return &plainFile{} } })
	const size = 1<<20 + 1
	client, h := r.open()
	r.start(h, codec.Transfer{Source: &content{}, Size: size})
	at := uint64(0)
	for at < size {
		var head [3]byte
		if _, err := io.ReadFull(client, head[:]); err != nil || head[0] != 'F' {
			t.Fatalf("%v %v", head, err)
		}
		data := make([]byte, binary.LittleEndian.Uint16(head[1:]))
		if _, err := io.ReadFull(client, data); err != nil {
			t.Fatal(err)
		}
		for _, b := range data {
			if b != contentAt(at) {
				t.Fatalf("byte %d is wrong", at)
			}
			at++
		}
	}
	r.endedFor(h, codec.TransferDone)
}

// A client that reads little at a time gets everything, although turns are cut and their
// frames taken back again and again. Replies arrive complete, between the frames.
func TestTransfer_SlowReaderAndReplies(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	narrow(t, client)
	const size, replies = 2 << 20, 50
	r.start(h, codec.Transfer{Source: &content{}, Size: size})
	a := listen(t, client, 0)
	for i := range uint32(replies) {
		a.until(min(size, uint64(i+1)*carrierData*17))
		r.Queue().Send(h, numbered(i))
		r.Queue().Flush()
	}
	for len(a.replies) < replies || a.at < size {
		if err := a.next(); err != nil {
			t.Fatal(err)
		}
	}
	for i, n := range a.replies {
		if n != uint32(i) {
			t.Fatalf("reply %d is %d", i, n)
		}
	}
	r.endedFor(h, codec.TransferDone)
	if st := r.settled(); st.TransferCuts == 0 || st.TransferTurns == 0 {
		t.Errorf("%d of %d turns were cut", st.TransferCuts, st.TransferTurns)
	}
	r.nothingLeft()
}

// Frames come after everything that was queued before them, also within one batch.
func TestTransfer_BeginsBehindWhatWasQueued(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	q := r.Queue()
	q.Send(h, numbered(1))
	q.StartTransfer(h, &codec.Transfer{Source: &content{}, Size: 5 * carrierData})
	q.Flush()
	a := listen(t, client, 0)
	a.reply(1)
	if a.at != 0 {
		t.Fatal("the file came before the reply")
	}
	a.until(5 * carrierData)
}

// When the server's rate is the limit, all clients get the same amount, give or take a turn.
func TestTransfer_ManyAtOnceShareFairly(t *testing.T) {
	const clients, total = 64, 48 << 20
	r := newCarrierRig(t, func(o *Options) { o.Transfers.Rate = 4 * total })
	conns, handles := r.openMany(clients)
	var wg sync.WaitGroup
	for i, h := range handles {
		r.start(h, codec.Transfer{Source: still{}, Size: 1 << 40})
		wg.Go(func() { _, _ = io.Copy(io.Discard, conns[i]) })
	}
	eventually(t, "enough was sent", func() bool { return r.Stats().TransferBytes >= total })
	least, most := uint64(1<<62), uint64(0)
	r.onReactor(0, func(re *reactor) {
		for _, h := range handles {
			sent := re.table.get(h).stream.sent
			least, most = min(least, sent), max(most, sent)
		}
	})
	if least*2 < most {
		t.Errorf("one client got %d bytes, another %d", least, most)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	wg.Wait()
	eventually(t, "all are gone", func() bool { return r.Conns() == 0 })
	r.nothingLeft()
}

func TestTransfer_Window_IsNeverExceeded(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	const size, window = 500 * carrierData, 123 * carrierData
	r.start(h, codec.Transfer{Source: &content{}, Size: size, Window: window})
	a := listen(t, client, 0)
	for acked := uint64(0); a.at < size; {
		upTo := min(acked+window, size)
		a.until(upTo)
		r.inState(h, streamUnacked) // all that may be sent was sent, and no more
		if a.in.Buffered() > 0 {
			t.Fatal("more was sent than the window allows")
		}
		acked += (upTo - acked + 1) / 2 / carrierData * carrierData
		write(t, client, ack(acked))
		a.until(min(acked+window, size))
		r.inState(h, streamUnacked)
	}
	if n := len(r.sinks[0].of(codec.KindTransferEnded, h)); n != 0 {
		t.Fatal("it was over before all was acknowledged")
	}
	write(t, client, ack(size))
	r.endedFor(h, codec.TransferDone)
	write(t, client, append(ack(size), ack(1)...)) // has no effect any more
	write(t, client, frame("and now?"))
	r.hears(h, "and now?")
	if n := len(r.sinks[0].of(codec.KindTransferAck, h)); n != 0 {
		t.Errorf("%d acknowledgements reached the sink", n)
	}
	r.nothingLeft()
}

func TestTransfer_Ack_Violations(t *testing.T) {
	for name, c := range map[string]struct {
		transfer bool
		acks     []uint64
	}{
		"before any":      {false, []uint64{0}},
		"beyond the sent": {true, []uint64{10_001}},
		"below the last":  {true, []uint64{5_000, 4_999}},
		"below the first": {true, []uint64{999}},
	} {
		t.Run(name, func(t *testing.T) {
			r := newCarrierRig(t, nil)
			client, h := r.open()
			var want []byte
			if c.transfer {
				r.start(h, codec.Transfer{Source: &content{}, Size: 10_000, Offset: 1_000, Window: 9_000})
				listen(t, client, 1_000).until(10_000)
			}
			for _, n := range c.acks {
				write(t, client, ack(n))
			}
			ends(t, client, append(want, "violation"...))
			r.closedFor(h, codec.CloseViolation)
			r.nothingLeft()
			r.carries()
		})
	}
}

// carries checks that a new client gets a file.
func (r *rig) carries() {
	r.t.Helper()
	c, h := r.open()
	r.start(h, codec.Transfer{Source: &content{}, Size: 10_000})
	listen(r.t, c, 0).until(10_000)
	r.endedFor(h, codec.TransferDone)
	_ = c.Close()
	r.closedFor(h, codec.ClosePeer)
}

func TestTransfer_OffsetBeyondTheEnd(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	r.start(h, codec.Transfer{Source: &content{}, Size: 10, Offset: 11})
	r.endedFor(h, codec.TransferOffset)
	r.Queue().SendLast(h, numbered(1))
	r.Queue().Flush()
	listen(t, client, 0).reply(1)
	r.nothingLeft()
}

func TestTransfer_Misplaced_ClosesForAFault(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) {
		o.Listeners = append(o.Listeners, listening("127.0.0.1:0")...) // carries no files
	})
	t.Run("no framer", func(t *testing.T) {
		_, h := r.openAt(r.AddrOf(1).String())
		r.start(h, codec.Transfer{Source: &content{}, Size: 10})
		r.closedFor(h, codec.CloseFault)
	})
	t.Run("second", func(t *testing.T) {
		_, h := r.open()
		r.start(h, codec.Transfer{Source: &content{}, Size: 10, Window: 5})
		r.start(h, codec.Transfer{Source: &content{}, Size: 10})
		r.closedFor(h, codec.CloseFault)
	})
	t.Run("no source", func(t *testing.T) {
		_, h := r.open()
		r.start(h, codec.Transfer{Size: 10})
		r.closedFor(h, codec.CloseFault)
	})
	if n := r.settled().TransfersMisplaced; n != 3 {
		t.Errorf("%d were counted, want 3", n)
	}
	r.nothingLeft()
	r.carries()
}

// An error of the file ends its transfer between two frames. The connection stays open, and
// the bytes that were sent are correct.
func TestTransfer_FileFails(t *testing.T) {
	broken := errors.New("the disk is gone")
	for name, c := range map[string]struct {
		fail func() error
		want codec.TransferEnd
	}{
		"error":   {func() error { return broken }, codec.TransferFault},
		"changed": {func() error { return fmt.Errorf("wrapped: %w", codec.ErrTransferChanged) }, codec.TransferChanged},
		"panic":   {func() error { panic("a bug in a source") }, codec.TransferFault},
	} {
		for _, from := range []int64{0, 700_000} {
			t.Run(fmt.Sprintf("%s/from=%d", name, from), func(t *testing.T) {
				r := newCarrierRig(t, nil)
				client, h := r.open()
				narrow(t, client)
				source := &content{onRead: func(offset int64) error {
					if offset >= from {
						return c.fail()
					}
					return nil
				}}
				r.start(h, codec.Transfer{Source: source, Size: 1 << 30})
				a := listen(t, client, 0)
				a.until(uint64(from) / carrierData * carrierData)
				upTo := r.endedFor(h, c.want)
				a.until(upTo)
				r.Queue().SendLast(h, numbered(9))
				r.Queue().Flush()
				a.reply(9)
				r.closedFor(h, codec.CloseLogic)
				r.nothingLeft()
			})
		}
	}
}

// A file that cannot be read is logged once, not once for each client.
func TestPump_Report_OncePerFile(t *testing.T) {
	var log bytes.Buffer
	p := newPump(TransferOptions{}, slog.New(slog.NewTextHandler(&log, nil)), nil)
	one, two := &content{}, &content{}
	odd := oddSource{func() {}} // cannot be compared with others
	for _, source := range []codec.TransferSource{one, two, one, odd, one, odd} {
		p.report(&turn{request: request{source: source, offset: 7}, err: io.ErrUnexpectedEOF})
	}
	if n := strings.Count(log.String(), "offset=7"); n != 3 || !strings.Contains(log.String(), io.ErrUnexpectedEOF.Error()) {
		t.Errorf("%d lines, want 3:\n%s", n, log.String())
	}
	p.now = func() time.Duration { return deadline.Now() + 2*faultEach }
	p.report(&turn{request: request{source: one, offset: 8}, err: io.ErrUnexpectedEOF})
	if !strings.Contains(log.String(), "offset=8") || len(p.faults) != 1 {
		t.Errorf("not logged again after a while, or %d files are remembered", len(p.faults))
	}
}

// oddSource cannot be compared.
type oddSource struct{ f func() }

func (oddSource) ReadVector([][]byte, int64) error { return nil }

// Clients disconnect at any moment, with or without a reset, and the logic closes connections
// too. Nothing is left of their transfers.
func TestTransfer_EndsWithItsConnection(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.Reactors = 2 })
	random := rand.New(rand.NewPCG(1, 2))
	conns, handles := r.openMany(60)
	for i, h := range handles {
		window := uint32(0)
		if i%3 == 0 {
			window = 100_000
		}
		r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 40, Window: window})
	}
	for i, c := range conns {
		_, _ = io.CopyN(io.Discard, c, random.Int64N(90_000))
		switch i % 4 {
		case 0:
			_ = c.SetLinger(0) // sends a reset
			fallthrough
		case 1:
			_ = c.Close()
		case 2:
			_ = c.CloseWrite()
		case 3:
			r.Queue().Close(handles[i], codec.CloseLogic)
			r.Queue().Flush()
		}
	}
	eventually(t, "all are gone", func() bool { return r.Conns() == 0 })
	r.nothingLeft()
	for _, h := range handles {
		if n := len(r.sinks[h.Reactor()].of(codec.KindTransferEnded, h)); n != 0 {
			t.Fatal("an end was told of a transfer that ended with its connection")
		}
	}
	r.carries()
}

// A turn that was read for a closed connection is dropped.
func TestTransfer_ConnectionEndsWhileItsTurnIsRead(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	reading, goOn := make(chan struct{}), make(chan struct{})
	r.start(h, codec.Transfer{Size: 1 << 20, Source: &content{onRead: func(int64) error {
		close(reading)
		<-goOn
		return nil
	}}})
	<-reading
	_ = client.Close()
	r.closedFor(h, codec.ClosePeer)
	if r.pump.resting() {
		t.Error("a turn is under way, and the pump is at rest")
	}
	close(goOn)
	r.nothingLeft()
	if !r.pump.resting() {
		t.Error("no turn is under way, and the pump is not at rest")
	}
	r.carries()
}

// A client that does not read gets replies up to SendBound, like any other client.
func TestTransfer_SendBoundHolds(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.SendBound = MaxPending })
	client, h := r.open()
	narrow(t, client)
	r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 40})
	r.inState(h, streamFull)
	r.onReactor(0, func(re *reactor) {
		if n := re.table.get(h).sock.OutboundBuffered(); n >= carrierData+19 {
			t.Errorf("gnet keeps %d bytes, want less than a frame", n)
		}
	})
	r.Queue().SendFrame(h, make([]byte, MaxPending/2))
	r.Queue().Flush()
	r.onReactor(0, func(*reactor) {})
	if n := len(r.sinks[0].of(codec.KindClosed, h)); n != 0 {
		t.Fatal("closed within the bound")
	}
	eventually(t, "it is closed", func() bool { // the kernel may take some more bytes
		r.Queue().SendFrame(h, make([]byte, MaxPending))
		r.Queue().Flush()
		return len(r.sinks[0].of(codec.KindClosed, h)) > 0
	})
	r.closedFor(h, codec.CloseSlow)
	r.nothingLeft()
}

// If the sink has no room for the end of a transfer, it gets the end later, once.
func TestTransfer_EndIsOwedWhenTheSinkIsFull(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	r.sinks[0].setRoom(0)
	r.start(h, codec.Transfer{Source: &content{}, Size: 10_000})
	listen(t, client, 0).until(10_000)
	eventually(t, "the end is owed", func() bool { return r.Stats().Stalls == 1 })
	write(t, client, frame("behind"))
	r.sinks[0].setRoom(-1)
	r.Resume(0)
	r.endedFor(h, codec.TransferDone)
	r.hears(h, "behind")
	r.nothingLeft()
}

// A panic of the sink or of the framer closes its connection and no other.
func TestTransfer_Panics(t *testing.T) {
	var speak atomic.Pointer[brokenFramer]
	r := newCarrierRig(t, func(o *Options) {
		o.Listeners = append(o.Listeners, Listener{Addr: "127.0.0.1:0", Protocol: func() Session { return speak.Load() }})
	})
	for _, broken := range []brokenFramer{{frame: true}, {}} {
		speak.Store(&broken)
		_, h := r.openAt(r.AddrOf(1).String())
		r.start(h, codec.Transfer{Source: &content{}, Size: 10})
		r.closedFor(h, codec.CloseFault)
	}
	_, h := r.open()
	r.sinks[0].watch(func(m *codec.Message) {
		if m.Kind == codec.KindTransferEnded {
			panic("a bug in a sink")
		}
	})
	r.start(h, codec.Transfer{Source: &content{}, Size: 10})
	r.closedFor(h, codec.CloseFault)
	r.sinks[0].watch(nil)
	r.nothingLeft()
	r.carries()
}

// brokenFramer panics in FileFrame or in FrameFile.
type brokenFramer struct {
	carrier
	frame bool // panics in FileFrame
}

func (b *brokenFramer) FileFrame() codec.FileFrame {
	if b.frame {
		panic("a bug in a framer")
	}
	return b.carrier.FileFrame()
}

func (b *brokenFramer) FrameFile([]byte, uint64, int) int { panic("a bug in a framer") }

func TestServer_Close_WithTransfersUnderWay(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.Reactors = 2; o.Transfers.ClientRate = 10 << 20 })
	conns, handles := r.openMany(20)
	var wg sync.WaitGroup
	for i, h := range handles {
		r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 40})
		if i%2 == 0 {
			wg.Go(func() { _, _ = io.Copy(io.Discard, conns[i]) })
		}
	}
	eventually(t, "bytes flow", func() bool { return r.Stats().TransferBytes > 1<<20 })
	r.Drain()
	before := r.Stats().TransferBytes
	eventually(t, "they flow while it drains", func() bool { return r.Stats().TransferBytes > before })
	if err := r.Close(); err != nil { // goleak detects what is left
		t.Fatal(err)
	}
	wg.Wait()
	if n := r.Stats().TransfersRunning; n != 0 {
		t.Errorf("%d transfers are running", n)
	}
}

// An idler naps only while no turn is in progress. A socket that becomes writable ends its
// nap.
func TestTransfer_WithAnIdler(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.Idle = func() bool { return true } })
	client, h := r.open()
	narrow(t, client)
	r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 20})
	listen(t, client, 0).until(1 << 20)
	r.endedFor(h, codec.TransferDone)
	r.nothingLeft()
}

func TestTransfer_ManyNarrowClients(t *testing.T) {
	const clients, size = 32, 300_000
	r := newCarrierRig(t, func(o *Options) { o.Reactors = 2; o.Transfers.Readers = 1 })
	conns, handles := r.openMany(clients)
	var wg sync.WaitGroup
	failed := make(chan error, clients)
	for i, h := range handles {
		narrow(t, conns[i])
		r.start(h, codec.Transfer{Source: &content{}, Size: size, Window: 50_000})
		wg.Go(func() { failed <- takeAndAck(conns[i], size) })
	}
	wg.Wait()
	for range clients {
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "all ended", func() bool { return r.Stats().TransfersEnded[codec.TransferDone] == clients })
	r.nothingLeft()
}

// takeAndAck reads a file and acknowledges each frame.
func takeAndAck(c net.Conn, size uint64) error {
	_ = c.SetDeadline(time.Now().Add(patience))
	for a := listen(nil, c, 0); a.at < size; {
		if err := a.next(); err != nil {
			return err
		}
		if _, err := c.Write(ack(a.at)); err != nil {
			return err
		}
	}
	return nil
}
