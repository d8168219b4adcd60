package server

import (
	"testing"
	"time"

	"gatepass/codec"
	"gatepass/guard"
)

// shortStall is far longer than a reading client ever has to wait.
const shortStall = 300 * time.Millisecond

func TestTransfer_Stall_ClosesWhoTakesNothing(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.Transfers.Stall = shortStall })
	reads, reading := r.open()
	_, stuck := r.open()
	acking, unacked := r.open()
	r.start(reading, codec.Transfer{Source: &content{}, Size: 1 << 40})
	r.start(stuck, codec.Transfer{Source: &content{}, Size: 1 << 40})
	r.start(unacked, codec.Transfer{Source: &content{}, Size: 1 << 40, Window: 5_000})
	go func() { _ = listen(t, reads, 0).toEnd() }()
	for a := listen(t, acking, 0); a.at < 20_000; { // and no more
		a.until(a.at + carrierData)
		write(t, acking, ack(a.at))
	}
	r.closedFor(stuck, codec.CloseSlow)
	r.closedFor(unacked, codec.CloseSlow)
	if n := r.settled().TransfersStalled; n != 2 {
		t.Errorf("%d stalled clients were counted, want 2", n)
	}
	if n := len(r.sinks[0].of(codec.KindClosed, reading)); n != 0 {
		t.Error("a client that reads was closed")
	}
	_ = reads.Close()
	r.closedFor(reading, codec.ClosePeer)
	r.nothingLeft()
}

// A client that repeats an acknowledgement makes no progress.
func TestTransfer_Stall_RepeatedAcksAreNoProgress(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.Transfers.Stall = shortStall })
	client, h := r.open()
	r.start(h, codec.Transfer{Source: &content{}, Size: 10_000, Window: 5_000})
	listen(t, client, 0).until(5_000)
	for end := time.Now().Add(patience); len(r.sinks[0].of(codec.KindClosed, h)) == 0; {
		if time.Now().After(end) {
			t.Fatal("it was never closed")
		}
		if _, err := client.Write(ack(0)); err != nil {
			break
		}
	}
	r.closedFor(h, codec.CloseSlow)
}

// A client that takes a byte now and then makes no progress.
func TestTransfer_Stall_BytesNowAndThenAreNoProgress(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.Transfers.Stall = shortStall })
	client, h := r.open()
	r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 40, Window: 50_000})
	a := listen(t, client, 0)
	a.until(50_000)
	for acked := uint64(1); len(r.sinks[0].of(codec.KindClosed, h)) == 0; acked++ {
		if acked > a.at {
			t.Fatal("it was never closed")
		}
		if _, err := client.Write(ack(acked)); err != nil {
			break
		}
		time.Sleep(shortStall / 50) // the test needs a slow client
	}
	r.closedFor(h, codec.CloseSlow)
}

// A client that acknowledges byte by byte still gets whole frames.
func TestTransfer_Window_NoTurnForLessThanAFrame(t *testing.T) {
	r := newCarrierRig(t, nil)
	client, h := r.open()
	const window, acks = 5 * carrierData, 3 * carrierData
	r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 40, Window: window})
	a := listen(t, client, 0)
	a.until(window)
	for acked := range uint64(acks) {
		write(t, client, ack(acked+1))
	}
	a.until(window + acks)
	if n := r.settled().TransferTurns; n > 1+acks/carrierData {
		t.Errorf("%d turns were sent for 8 frames", n)
	}
	_ = client.Close()
	r.closedFor(h, codec.ClosePeer)
}

// A stream that waits for tokens does not wait for its client.
func TestTransfer_Stall_NotWhileWaitingForTokens(t *testing.T) {
	for name, o := range map[string]TransferOptions{
		"client": {ClientRate: 30 * carrierData}, // one frame each 33 ms
		"server": {Rate: 30 * carrierData},
	} {
		t.Run(name, func(t *testing.T) {
			o.Stall = 20 * time.Millisecond
			r := newCarrierRig(t, func(opts *Options) { opts.Transfers = o })
			client, h := r.open()
			r.start(h, codec.Transfer{Source: &content{}, Size: 6 * carrierData})
			listen(t, client, 0).until(6 * carrierData)
			r.endedFor(h, codec.TransferDone)
			if n := r.settled().TransferWaits; n == 0 {
				t.Error("nothing ever waited for tokens")
			}
			r.nothingLeft()
		})
	}
}

// A stream whose socket takes nothing, although it was reported as writable, is tried again
// after a while. Its client counts as stalled meanwhile.
func TestReactor_TurnSent_RefusedTwice(t *testing.T) {
	r := newCarrierRig(t, func(o *Options) { o.Transfers.Stall = shortStall })
	client, h := r.open()
	narrow(t, client)
	r.start(h, codec.Transfer{Source: &content{}, Size: 1 << 40})
	r.inState(h, streamFull)
	r.onReactor(0, func(re *reactor) {
		s := re.table.get(h).stream
		s.refused, s.rest = true, nil // the cut bytes are lost: this client reads nothing more
		if !re.turnSent(s, &turn{request: s.request(carrierData)}, false) || s.state != streamPaused || !s.waits {
			t.Errorf("state %d, waits %v", s.state, s.waits)
		}
	})
	r.closedFor(h, codec.CloseSlow)
	eventually(t, "what was asked for came back", func() bool {
		r.pump.mu.Lock()
		defer r.pump.mu.Unlock()
		return len(r.pump.later) == 0 && r.pump.line.n == 0
	})
}

func TestTransfer_Rate_HoldsForAllTogether(t *testing.T) {
	const rate, size = 16 << 20, 1 << 20
	r := newCarrierRig(t, func(o *Options) { o.Transfers.Rate = rate })
	conns, handles := r.openMany(4)
	began := time.Now()
	for i, h := range handles {
		r.start(h, codec.Transfer{Source: &content{}, Size: size})
		go func() { _ = listen(t, conns[i], 0).toEnd() }()
	}
	for _, h := range handles {
		r.endedFor(h, codec.TransferDone)
	}
	// A bucket allows a debt of one turn and begins with one BucketSpan.
	least := time.Duration(float64(4*size-turnSize)/rate*float64(time.Second)) - 2*guard.BucketSpan
	if took := time.Since(began); took < least {
		t.Errorf("%d bytes took %v, want %v at least", 4*size, took, least)
	}
	for _, c := range conns {
		_ = c.Close()
	}
	eventually(t, "all are gone", func() bool { return r.Conns() == 0 })
	r.nothingLeft()
}

func TestWaiters_KeepTheirOrder(t *testing.T) {
	var w waiters
	s := make([]stream, 5)
	for i := range s {
		w.append(&s[i])
	}
	for _, i := range []int{2, 0, 4} {
		w.remove(&s[i])
	}
	w.append(&s[0])
	for _, i := range []int{1, 3, 0} {
		if w.first != &s[i] || !s[i].waits {
			t.Fatalf("stream %d is not the first", i)
		}
		w.remove(&s[i])
	}
	if w.first != nil || w.last != nil || s[0].waits {
		t.Error("the list is not empty")
	}
}
