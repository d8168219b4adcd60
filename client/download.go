package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// The bounds of DownloadOptions.Window in bytes, as the contract has them.
const (
	minWindow     = 64 << 10
	defaultWindow = 1 << 20
	maxWindow     = 16 << 20
)

// DownloadOptions say where a file goes.
type DownloadOptions struct {
	// Dir is the folder for the file, which must be there; default the working one.
	Dir string
	// Name is what the file is called in it, no path; default the offer's.
	Name string
	// Window is how many bytes the server may send ahead of what is written here, 64 KiB
	// to 16 MiB; default 1 MiB. Fast ways over long distances take more. It costs no
	// memory of this process.
	Window uint32
	// Progress is told how far it is, for each frame, so up to some thousand times a
	// second. It is called by the goroutine that has called Download and holds it up;
	// default nobody.
	Progress func(UpdateProgress)
}

// ensureDefaults fills in what is not set, and checks the rest.
func (o *DownloadOptions) ensureDefaults(u *UpdateOffer) error {
	setDefault(&o.Dir, ".")
	setDefault(&o.Name, u.Name)
	setDefault(&o.Window, defaultWindow)
	o.Window = min(max(o.Window, minWindow), maxWindow)
	if o.Progress == nil {
		o.Progress = func(UpdateProgress) {}
	}
	if !isPlain(o.Name) {
		return fileError(o.Name, ErrFileName)
	}
	return nil
}

// UpdatePhase is what a download is at.
type UpdatePhase uint8

// The phases, in their order. Only Client.Update goes back, to UpdateAway.
const (
	// UpdateChecking: what is here of the file already is looked through.
	UpdateChecking UpdatePhase = iota
	// UpdateInLine: others are served first.
	UpdateInLine
	// UpdateReceiving: the file comes.
	UpdateReceiving
	// UpdateAway: the connection broke, and is made anew after Retry.
	UpdateAway
)

func (p UpdatePhase) String() string {
	names := [...]string{"checking", "in line", "receiving", "away"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// UpdateProgress is how far a download is. Who shows a rate takes the time beside.
type UpdateProgress struct {
	Phase UpdatePhase
	// Done is how much of Size is here in bytes, checked or written. It may go back to
	// the last whole chunk, when a connection breaks.
	Done, Size uint64
	// Position is the place in line, 1 is next; 0 when it is not known.
	Position int
	// Reason and Retry belong to UpdateAway.
	Reason error
	Retry  time.Duration
}

// Download gets the file, once for each offer, and returns its path when it is whole,
// right and durable. It is written beside, to NAME.part, where what an earlier try has
// left is checked first and kept as far as it is right; each chunk is checked as it
// comes. It neither runs the file nor removes it. If the whole file lies there already
// nothing is downloaded.
//
// When ctx ends the server is told and what is right stays. ErrUpdateBroken says that
// another Login gets the offer again, and its Download goes on (see Client.Update, which
// does that). ErrUpdateData, an *UpdateError and an *UpdateFileError are what else there
// is, a *RefusedError when the server sends the player away, ErrProtocol, and ErrClosed
// behind Close or an earlier Download. However it ends, the connection has.
func (u *UpdateOffer) Download(ctx context.Context, o DownloadOptions) (path string, err error) {
	if u.talk == nil || !u.talk.taken.CompareAndSwap(false, true) {
		return "", ErrClosed
	}
	stop := context.AfterFunc(ctx, u.talk.cancel)
	defer func() {
		stop()
		u.talk.cancel()
		if err != nil && ctx.Err() != nil {
			err = context.Cause(ctx)
		}
	}()
	if err := o.ensureDefaults(u); err != nil {
		return "", err
	}
	f, err := newPart(o.Dir, o.Name, u)
	if err != nil {
		return "", err
	}
	defer f.close()
	d := &download{offer: u, o: o, file: f}
	return d.run(ctx)
}

// download is one Download. Used by its goroutine alone.
type download struct {
	offer *UpdateOffer
	o     DownloadOptions
	file  *partFile
	acked uint64
	// taken: the server has heard that the file is wanted.
	taken bool
	// away is what the server has said of its end.
	away *RefusedError
}

func (d *download) run(ctx context.Context) (string, error) {
	checking := func(done uint64) { d.o.Progress(UpdateProgress{Phase: UpdateChecking, Done: done, Size: d.offer.Size}) }
	if have, err := d.file.have(ctx, checking); err != nil {
		return "", err
	} else if have {
		return d.file.path(), nil
	}
	if err := d.file.open(); err != nil {
		return "", err
	}
	if err := d.file.check(ctx, checking); err != nil {
		return "", err
	}
	if d.file.at == d.offer.Size {
		return d.file.finish()
	}
	if err := d.file.fits(); err != nil {
		return "", err
	}
	if err := d.receive(); err != nil {
		return "", d.brokenOr(err)
	}
	path, err := d.file.finish()
	if err == nil {
		d.hearEnd()
	}
	return path, err
}

// receive asks for what is missing and takes it.
func (d *download) receive() error {
	d.acked = d.file.at
	accept := &pb.AcceptUpdate{Offset: d.file.at, Window: d.o.Window}
	// That this cannot be said is no reason: what the server said before it went may be.
	_ = d.offer.talk.say(&pb.ClientFrame{Body: &pb.ClientFrame_AcceptUpdate{AcceptUpdate: accept}})
	d.offer.talk.link.widen()
	d.tell(UpdateInLine, 0)
	for d.file.at < d.offer.Size {
		f, err := d.offer.talk.hear()
		if err == nil {
			err = d.take(f)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (d *download) take(f *pb.ServerFrame) error {
	switch m := f.GetBody().(type) {
	case *pb.ServerFrame_UpdateData:
		return d.takeData(m.UpdateData)
	case *pb.ServerFrame_UpdateQueued:
		d.taken = true
		d.tell(UpdateInLine, int(m.UpdateQueued.GetPosition()))
	case *pb.ServerFrame_UpdateFailed:
		return failed(m.UpdateFailed)
	case *pb.ServerFrame_Refused:
		return refused(m.Refused, true)
	case *pb.ServerFrame_Kicked:
		return kicked(m.Kicked)
	case *pb.ServerFrame_GoingAway:
		after := min(milliseconds(m.GoingAway.GetReconnectAfterMs()), maxWait)
		d.away = &RefusedError{Result: codec.ResultGoingAway, RetryAfter: after}
	case *pb.ServerFrame_Pong, *pb.ServerFrame_Notice:
	default:
		return fmt.Errorf("%w: a message that does not come here", ErrProtocol)
	}
	return nil
}

// takeData writes what comes next and says so where that is due.
func (d *download) takeData(m *pb.UpdateData) error {
	data := m.GetData()
	if m.GetOffset() != d.file.at || len(data) == 0 || uint64(len(data)) > d.offer.Size-d.file.at {
		return fmt.Errorf("%w: data that is not next", ErrProtocol)
	}
	if err := d.file.write(data); err != nil {
		return err
	}
	d.taken = true
	d.tell(UpdateReceiving, 0)
	if d.file.at-d.acked < uint64(d.o.Window/4) && d.file.at < d.offer.Size {
		return nil
	}
	if err := d.file.flush(); err != nil {
		return err
	}
	d.acked = d.file.at
	// Where this cannot be said any more the server has gone: what it said before that
	// is still to be heard, and then the end.
	_ = d.offer.talk.say(&pb.ClientFrame{Body: &pb.ClientFrame_UpdateReceived{UpdateReceived: &pb.UpdateReceived{Offset: d.acked}}})
	return nil
}

func (d *download) tell(phase UpdatePhase, position int) {
	d.o.Progress(UpdateProgress{Phase: phase, Done: d.file.at, Size: d.offer.Size, Position: position})
}

// maxEndMessages is how many messages are heard before UpdateSent, at most.
const maxEndMessages = 64

// hearEnd waits for the server's word that it knows. It is its due and not needed: the
// hash has decided, and the file has its name already. So it is bounded.
func (d *download) hearEnd() {
	if d.offer.talk.hearFor(d.offer.talk.timeout) != nil {
		return
	}
	for range maxEndMessages {
		f := &pb.ServerFrame{}
		if d.offer.talk.link.receive(f) != nil {
			return
		}
		switch f.GetBody().(type) {
		case *pb.ServerFrame_Pong, *pb.ServerFrame_Notice, *pb.ServerFrame_GoingAway:
		case *pb.ServerFrame_UpdateSent:
			d.offer.talk.end() // the file is taken: there is nothing to cancel
			return
		default:
			return
		}
	}
}

// brokenOr marks the errors behind which another sign-in makes sense.
func (d *download) brokenOr(err error) error {
	r := (*RefusedError)(nil)
	switch {
	case d.offer.talk.isOver():
		return ErrClosed
	case errors.As(err, &r) && forGood(r.Result):
		return err
	case errors.Is(err, ErrIdle) && !d.taken:
		return fmt.Errorf("%w: %w (%w)", ErrUpdateBroken, ErrOfferOver, err)
	case d.away != nil && (errors.Is(err, ErrLost) || r != nil):
		return fmt.Errorf("%w: %w", ErrUpdateBroken, d.away)
	case errors.Is(err, ErrLost), errors.Is(err, ErrUnheard), r != nil:
		return fmt.Errorf("%w: %w", ErrUpdateBroken, err)
	}
	return err
}

// failed reads the server's reason; one that was added later has a name of its number.
func failed(m *pb.UpdateFailed) *UpdateError {
	if m.GetReason() <= 0 {
		return &UpdateError{codec.TransferEndCount}
	}
	return &UpdateError{codec.TransferEnd(octet(m.GetReason()))}
}
