package load

import (
	"net/netip"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"gatepass/auth/srp6"
	"gatepass/codec"
	"gatepass/codec/grunt"
)

// stage is what a client of a fleet waits for.
type stage uint8

const (
	// stageIdle: no connection.
	stageIdle stage = iota
	// stageConnecting: the connection is being made.
	stageConnecting
	// stageChallenge: the name is sent, the server's key is to come.
	stageChallenge
	// stageProof: the proof is sent, the verdict is to come.
	stageProof
	// stageOffer: the verdict was right, the offer is to come.
	stageOffer
	// stageOffered: the offer is there; waits for nothing until it may accept.
	stageOffered
	// stageTaking: accepted; frames of the file are read and compared with it.
	stageTaking
	// stageSkimming: they are counted and thrown away.
	stageSkimming
	// stageTaken: a native client has the whole file, the server is to say so.
	stageTaken
	// stageStalled: has begun to take the file and takes no more.
	stageStalled
)

// waits tells whether the server must say something in time.
func (s stage) waits() bool { return s != stageIdle && s != stageOffered && s != stageStalled }

// signsIn tells whether the client is on its way to an offer.
func (s stage) signsIn() bool { return s >= stageConnecting && s <= stageOffer }

// taker is one client of a fleet, and after it the next one of the same slot.
type taker struct {
	fd         int
	slot       int32
	generation int32 // goes up with each connection
	stage      stage
	checks     bool
	deadline   time.Duration
	buf        []byte
	at, got    int // buf[at:got] has come and is not taken
	exchange   srp6.Client
	talk       *talk // of a native client

	// offset is up to where of the file it has whole frames, acked what it has said of it.
	offset, acked uint64
	frames        int // that it has read
	skimmed       skimmed
}

func (t *taker) token() token { return token{slot: t.slot, generation: t.generation} }

func addrPort(a netip.Addr) netip.AddrPort { return netip.AddrPortFrom(a, 0) }

// begin opens a client's connection.
func (f *fleet) begin(t *taker) {
	f.busy++
	t.generation++
	t.stage, t.at, t.got, t.fd, t.deadline = stageConnecting, 0, 0, -1, f.now()+f.o.Clients.Timeout
	t.offset, t.acked, t.frames, t.skimmed = 0, 0, 0, skimmed{}
	if f.tongue != nil {
		t.talk = &talk{player: &f.o.Clients.Native.list[t.slot]}
	}
	errno := f.open(t)
	if errno == 0 || errno == unix.EINPROGRESS {
		errno = f.poll.add(t.fd, unix.EPOLLOUT, t.token())
	}
	if errno != 0 {
		f.fail(t, connectFault(errno).mishap())
	}
}

// open makes the socket and begins to connect it.
func (f *fleet) open(t *taker) (errno unix.Errno) {
	if t.fd, errno = rawSocket(f.target.family); errno != 0 {
		t.fd = -1
		return errno
	}
	if f.o.Stall {
		_ = unix.SetsockoptInt(t.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, stalledBuffer)
	}
	if len(f.sources) > 0 {
		f.source = (f.source + 1) % len(f.sources)
		if errno := rawBind(t.fd, &f.sources[f.source]); errno != 0 {
			return errno
		}
	}
	return rawConnect(t.fd, &f.target)
}

// connected greets the server once the connection stands.
func (f *fleet) connected(t *taker) {
	f.out = f.appendHello(f.out[:0], t)
	if _, errno := rawWrite(t.fd, f.out); errno != 0 {
		if errno != unix.EAGAIN {
			f.fail(t, connectFault(errno).mishap())
		}
		return
	}
	if errno := f.poll.change(t.fd, unix.EPOLLIN, t.token()); errno != 0 {
		f.fail(t, connectFault(errno).mishap())
		return
	}
	t.stage = stageChallenge
}

func (f *fleet) role(t *taker) role { return role{plan: PlanRight, who: t.slot} }

func (f *fleet) appendHello(dst []byte, t *taker) []byte {
	if f.tongue != nil {
		return f.tongue.appendSignIn(dst, t.talk, f.cast.name(f.role(t)))
	}
	return f.cast.appendChallenge(dst, f.role(t), f.o.Clients.Build)
}

// send writes a message, which is short. A client that takes little has room for it.
func (f *fleet) send(t *taker, b []byte) mishap {
	if n, errno := rawWrite(t.fd, b); errno != 0 || n != len(b) {
		return FaultReset.mishap()
	}
	return noMishap
}

// receive takes what has come, no more of it than the client wants to look at.
func (f *fleet) receive(t *taker) {
	n, errno := rawRead(t.fd, t.buf[t.got:f.wants(t)])
	switch {
	case errno == unix.EAGAIN || errno == unix.EINTR:
		return
	case errno != 0:
		f.fail(t, FaultReset.mishap())
		return
	case n == 0:
		f.fail(t, FaultClosed.mishap())
		return
	}
	t.got += n
	t.deadline = f.now() + f.o.Clients.Timeout
	generation := t.generation
	for t.at < t.got && t.generation == generation && t.stage != stageIdle && t.stage != stageStalled {
		n, trouble := f.step(t)
		if trouble != noMishap {
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

// wants is up to where of its buffer the client reads. One that is going to skim must stop
// where a frame does.
func (f *fleet) wants(t *taker) int {
	if t.stage != stageTaking || t.checks {
		return len(t.buf)
	}
	head := f.frameHead()
	if t.got < head {
		return head
	}
	return min(len(t.buf), f.frameSize(t.buf))
}

// step takes one message, if it is whole, and returns how long it was.
func (f *fleet) step(t *taker) (int, mishap) {
	if f.tongue != nil {
		return f.stepNative(t)
	}
	b := t.buf[t.at:t.got]
	switch t.stage {
	case stageChallenge:
		r, n, err := grunt.ParseChallengeReply(b, f.layout)
		return f.judged(t, n, err, func() mishap { return f.onChallenge(t, &r) })
	case stageProof:
		r, n, err := grunt.ParseProofReply(b, f.layout)
		return f.judged(t, n, err, func() mishap { return f.onVerdict(t, r.Result) })
	case stageOffer:
		o, n, err := grunt.ParseTransferOffer(b)
		return f.judged(t, n, err, func() mishap { return f.onOffer(t, o.Size, o.MD5 == f.o.File.MD5) })
	case stageTaking:
		data, n, err := grunt.ParseTransferData(b)
		return f.judged(t, n, err, func() mishap { return f.onData(t, t.offset, data, n) })
	}
	return 0, FaultGarbage.mishap()
}

// judged lets a message of n bytes be taken if it is whole.
func (f *fleet) judged(t *taker, n int, err error, take func() mishap) (int, mishap) {
	switch {
	case err == codec.ErrShort:
		t.makeRoom()
		return 0, noMishap
	case err != nil:
		return 0, FaultGarbage.mishap()
	}
	return n, take()
}

// makeRoom lets the rest of a message come that fills the buffer.
func (t *taker) makeRoom() {
	if t.at == 0 && t.got == len(t.buf) {
		t.buf = append(t.buf, make([]byte, len(t.buf))...)
	}
}

func (f *fleet) onChallenge(t *taker, r *codec.Reply) mishap {
	if r.Result != codec.ResultOK {
		return mishapRefused
	}
	var ok bool
	if f.out, ok = f.cast.appendProof(f.out[:0], f.role(t), &r.Challenge, &t.exchange); !ok {
		return FaultGarbage.mishap()
	}
	t.stage = stageProof
	return f.send(t, f.out)
}

// onVerdict takes the verdict: an old client is to be told that it must update.
func (f *fleet) onVerdict(t *taker, r codec.Result) mishap {
	switch r {
	case codec.ResultVersionUpdate:
		t.stage = stageOffer
		return noMishap
	case codec.ResultOK:
		return mishapLetIn
	}
	return mishapRefused
}

// onOffer takes the offer; right says whether its hash is the file's.
func (f *fleet) onOffer(t *taker, size uint64, right bool) mishap {
	if size != f.o.File.Size || !right {
		return mishapOffer
	}
	t.stage = stageOffered
	f.busy--
	if f.o.Stall && !f.accept.Load() {
		f.offered.Add(1)
		return noMishap
	}
	return f.takeOffer(t)
}

// acceptOffer is for a client that has waited with it.
func (f *fleet) acceptOffer(t *taker) {
	if trouble := f.takeOffer(t); trouble != noMishap {
		f.fail(t, trouble)
	}
}

func (f *fleet) takeOffer(t *taker) mishap {
	t.stage, t.deadline = stageTaking, f.now()+f.o.Clients.Timeout
	if room := checkBuffer; t.checks && len(t.buf) < room {
		t.buf = append(make([]byte, 0, room), t.buf[:t.got]...)[:room]
	}
	if f.tongue != nil {
		f.out = f.tongue.appendAcceptUpdate(f.out[:0], t.talk)
	} else {
		f.out = grunt.AppendTransferAccept(f.out[:0])
	}
	return f.send(t, f.out)
}

// fail counts a mishap and lets the client begin anew, but where transfers are held: there
// each is to be counted once.
func (f *fleet) fail(t *taker, what mishap) {
	f.mishaps[what]++
	f.failed.Add(1)
	f.paused = f.now() + connectPause
	if t.stage == stageStalled {
		f.dropped.Add(1)
	}
	f.release(t)
}

// release closes the connection and frees the slot.
func (f *fleet) release(t *taker) {
	if t.fd >= 0 {
		rawClose(t.fd)
	}
	switch {
	case t.stage.signsIn():
		f.busy--
	case t.stage == stageStalled:
		f.started.Add(-1)
	case t.stage == stageOffered && f.o.Stall:
		f.offered.Add(-1)
	}
	t.stage = stageIdle
	if !f.o.Stall {
		f.idle = append(f.idle, t.slot)
	}
}

// rawDiscard throws away up to len(scratch) bytes that have come: MSG_TRUNC on a TCP
// socket copies none of them.
func rawDiscard(fd int, scratch []byte) (int, unix.Errno) {
	return rawReceive(fd, scratch, unix.MSG_TRUNC)
}

// rawPeek looks at what has come and leaves it there.
func rawPeek(fd int, b []byte) (int, unix.Errno) { return rawReceive(fd, b, unix.MSG_PEEK) }

func rawReceive(fd int, b []byte, flags uintptr) (int, unix.Errno) {
	n, _, e := unix.RawSyscall6(unix.SYS_RECVFROM, uintptr(fd), uintptr(unsafe.Pointer(&b[0])), uintptr(len(b)),
		flags|unix.MSG_DONTWAIT, 0, 0)
	return int(n), e
}
