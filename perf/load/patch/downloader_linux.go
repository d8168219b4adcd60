package patch

import (
	"time"

	"golang.org/x/sys/unix"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
	"gatepass/perf/load/internal/counts"
	"gatepass/perf/load/internal/loop"
	"gatepass/perf/load/internal/protocol"
)

// stage is the state of a client: what it waits for.
type stage uint8

const (
	// stageIdle: no connection.
	stageIdle stage = iota
	// stageConnecting: the connection is not yet established.
	stageConnecting
	// stageChallenge: has sent the name and waits for the challenge.
	stageChallenge
	// stageProof: has sent the proof and waits for the result.
	stageProof
	// stageOffer: has the expected result and waits for the offer.
	stageOffer
	// stageOffered: has the offer. It waits for nothing until it may accept.
	stageOffered
	// stageReading: has accepted. It reads frames and compares them with the file.
	stageReading
	// stageDiscarding: counts and discards data.
	stageDiscarding
	// stageComplete: has the whole file (native only) and waits for the server's end.
	stageComplete
	// stageStalled: has read one frame and reads no more.
	stageStalled
)

// waits reports whether the server must send something within the time limit.
func (s stage) waits() bool { return s != stageIdle && s != stageOffered && s != stageStalled }

// signsIn reports whether the client is between its start and the offer.
func (s stage) signsIn() bool { return s >= stageConnecting && s <= stageOffer }

// downloader is a slot with the current connection of its client.
type downloader struct {
	fd         int
	slot       int32
	generation int32 // goes up with each connection
	stage      stage
	checks     bool // compares every byte
	deadline   time.Duration
	buf        []byte
	at, got    int // buf[at:got] has arrived and is not processed
	exchange   srp6.Client
	native     *protocol.NativeConn // nil: grunt

	// offset is the end of the last whole frame in the file, acked what the client has
	// acknowledged of it.
	offset, acked uint64
	frames        int // number of frames read
	discarding    discarding
}

func (t *downloader) token() loop.Token { return loop.Token{Slot: t.slot, Generation: t.generation} }

// begin starts an idle client.
func (f *Clients) begin(t *downloader) {
	f.busy++
	t.generation++
	t.stage, t.at, t.got, t.fd, t.deadline = stageConnecting, 0, 0, -1, f.now()+f.o.Timeout
	t.offset, t.acked, t.frames, t.discarding = 0, 0, 0, discarding{}
	if f.native != nil {
		t.native = &protocol.NativeConn{Player: f.players[t.slot]}
	}
	errno := f.open(t)
	if errno == 0 || errno == unix.EINPROGRESS {
		errno = f.poll.Add(t.fd, unix.EPOLLOUT, t.token())
	}
	if errno != 0 {
		f.fail(t, counts.ConnectFault(errno).UpdateError())
	}
}

// open makes the socket and starts to connect it.
func (f *Clients) open(t *downloader) (errno unix.Errno) {
	if t.fd, errno = loop.Socket(&f.target); errno != 0 {
		t.fd = -1
		return errno
	}
	if f.o.Stall {
		_ = unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, stalledBuffer)
	}
	if len(f.sources) > 0 {
		f.source = (f.source + 1) % len(f.sources)
		if errno := loop.Bind(t.fd, &f.sources[f.source]); errno != 0 {
			return errno
		}
	}
	return loop.Connect(t.fd, &f.target)
}

// connected sends the first message once the connection is established.
func (f *Clients) connected(t *downloader) {
	f.out = f.appendHello(f.out[:0], t)
	if _, errno := loop.Write(t.fd, f.out); errno != 0 {
		if errno != unix.EAGAIN {
			f.fail(t, counts.ConnectFault(errno).UpdateError())
		}
		return
	}
	if errno := f.poll.Change(t.fd, unix.EPOLLIN, t.token()); errno != 0 {
		f.fail(t, counts.ConnectFault(errno).UpdateError())
		return
	}
	t.stage = stageChallenge
}

func (f *Clients) attempt(t *downloader) protocol.Attempt {
	return protocol.Attempt{Plan: counts.PlanRight, Index: t.slot}
}

func (f *Clients) appendHello(dst []byte, t *downloader) []byte {
	if f.native != nil {
		return f.native.AppendSignIn(dst, t.native, f.accounts.Name(f.attempt(t)))
	}
	return f.accounts.AppendChallenge(dst, f.attempt(t), f.o.Build)
}

// send writes a message. It always fits, because messages are short and few.
func (f *Clients) send(t *downloader, b []byte) counts.UpdateError {
	if n, errno := loop.Write(t.fd, b); errno != 0 || n != len(b) {
		return counts.FaultReset.UpdateError()
	}
	return counts.NoUpdateError
}

// receive reads and processes what has arrived, up to the limit of wants.
func (f *Clients) receive(t *downloader) {
	n, errno := loop.Read(t.fd, t.buf[t.got:f.wants(t)])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		f.fail(t, counts.FaultReset.UpdateError())
		return
	case n == 0:
		f.fail(t, counts.FaultClosed.UpdateError())
		return
	}
	t.got += n
	t.deadline = f.now() + f.o.Timeout
	generation := t.generation
	for t.at < t.got && t.generation == generation && t.stage != stageIdle && t.stage != stageStalled {
		n, trouble := f.step(t)
		if trouble != counts.NoUpdateError {
			f.fail(t, trouble)
			return
		}
		if n == 0 {
			break
		}
		t.at += n
	}
	t.at, t.got = 0, copy(t.buf, t.buf[t.at:t.got])
}

// wants returns up to where of its buffer the client reads. A client that will discard
// must stop at the end of a frame.
func (f *Clients) wants(t *downloader) int {
	if t.stage != stageReading || t.checks {
		return len(t.buf)
	}
	head := f.frameHead()
	if t.got < head {
		return head
	}
	return min(len(t.buf), f.frameSize(t.buf))
}

// step processes one message, if it is complete, and returns its length.
func (f *Clients) step(t *downloader) (int, counts.UpdateError) {
	if f.native != nil {
		return f.stepNative(t)
	}
	b := t.buf[t.at:t.got]
	switch t.stage {
	case stageChallenge:
		r, n, err := grunt.ParseChallengeReply(b, f.layout)
		return f.ifWhole(t, n, err, func() counts.UpdateError { return f.onChallenge(t, &r) })
	case stageProof:
		r, n, err := grunt.ParseProofReply(b, f.layout)
		return f.ifWhole(t, n, err, func() counts.UpdateError { return f.onVerdict(t, r.Result) })
	case stageOffer:
		o, n, err := grunt.ParseTransferOffer(b)
		return f.ifWhole(t, n, err, func() counts.UpdateError { return f.onOffer(t, o.Size, o.MD5 == f.o.File.MD5) })
	case stageReading:
		data, n, err := grunt.ParseTransferData(b)
		return f.ifWhole(t, n, err, func() counts.UpdateError { return f.onData(t, t.offset, data, n) })
	}
	return 0, counts.FaultGarbage.UpdateError()
}

// ifWhole calls take if a message of n bytes is complete, and returns its length.
func (f *Clients) ifWhole(t *downloader, n int, err error, take func() counts.UpdateError) (int, counts.UpdateError) {
	switch {
	case err == codec.ErrShort:
		t.makeRoom()
		return 0, counts.NoUpdateError
	case err != nil:
		return 0, counts.FaultGarbage.UpdateError()
	}
	return n, take()
}

// makeRoom grows the buffer if one incomplete message fills it.
func (t *downloader) makeRoom() {
	if t.at == 0 && t.got == len(t.buf) {
		t.buf = append(t.buf, make([]byte, len(t.buf))...)
	}
}

// onChallenge answers the challenge with a proof.
func (f *Clients) onChallenge(t *downloader, r *codec.Reply) counts.UpdateError {
	if r.Result != codec.ResultOK {
		return counts.UpdateRefused
	}
	var ok bool
	if f.out, ok = f.accounts.AppendProof(f.out[:0], f.attempt(t), &r.Challenge, &t.exchange); !ok {
		return counts.FaultGarbage.UpdateError()
	}
	t.stage = stageProof
	return f.send(t, f.out)
}

// onVerdict processes the result of the proof. The server must tell an old client to
// update.
func (f *Clients) onVerdict(t *downloader, r codec.Result) counts.UpdateError {
	switch r {
	case codec.ResultVersionUpdate:
		t.stage = stageOffer
		return counts.NoUpdateError
	case codec.ResultOK:
		return counts.UpdateLetIn
	}
	return counts.UpdateRefused
}

// onOffer processes the offer. right says whether its hash is that of the file.
func (f *Clients) onOffer(t *downloader, size uint64, right bool) counts.UpdateError {
	if size != f.o.File.Size || !right {
		return counts.UpdateOtherFile
	}
	t.stage = stageOffered
	f.busy--
	if f.o.Stall && !f.accept.Load() {
		f.Offered.Add(1)
		return counts.NoUpdateError
	}
	return f.acceptOffer(t)
}

// acceptHeldOffer accepts the offer of a client that has waited with it.
func (f *Clients) acceptHeldOffer(t *downloader) {
	if trouble := f.acceptOffer(t); trouble != counts.NoUpdateError {
		f.fail(t, trouble)
	}
}

// acceptOffer accepts the offer and starts to read.
func (f *Clients) acceptOffer(t *downloader) counts.UpdateError {
	t.stage, t.deadline = stageReading, f.now()+f.o.Timeout
	if room := checkBuffer; t.checks && len(t.buf) < room {
		t.buf = append(make([]byte, 0, room), t.buf[:t.got]...)[:room]
	}
	if f.native != nil {
		f.out = f.native.AppendAcceptUpdate(f.out[:0], t.native, window)
	} else {
		f.out = grunt.AppendTransferAccept(f.out[:0])
	}
	return f.send(t, f.out)
}

// fail counts a failed update and makes the client idle. Clients with Stall set do not
// start again, so that each counts once.
func (f *Clients) fail(t *downloader, what counts.UpdateError) {
	f.Errors[what]++
	f.Failed.Add(1)
	f.paused = f.now() + loop.ConnectPause
	if t.stage == stageStalled {
		f.Dropped.Add(1)
	}
	f.release(t)
}

// release closes the connection and frees the slot.
func (f *Clients) release(t *downloader) {
	if t.fd >= 0 {
		loop.Close(t.fd)
	}
	switch {
	case t.stage.signsIn():
		f.busy--
	case t.stage == stageStalled:
		f.Started.Add(-1)
	case t.stage == stageOffered && f.o.Stall:
		f.Offered.Add(-1)
	}
	t.stage = stageIdle
	if !f.o.Stall {
		f.idle = append(f.idle, t.slot)
	}
}
