package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"gatepass/codec"
	pb "gatepass/codec/native/gatepasspb"
)

// The limits of DownloadOptions.Window in bytes. The protocol sets them.
const (
	minWindow     = 64 << 10
	defaultWindow = 1 << 20
	maxWindow     = 16 << 20
)

// DownloadOptions configures a download.
type DownloadOptions struct {
	// Dir is the folder for the file, which must exist; default the working directory.
	Dir string
	// Name is the file's name in Dir. It must not be a path; default the offer's name.
	Name string
	// Window is how many bytes the server may send before they are acknowledged, 64 KiB to
	// 16 MiB; default 1 MiB. Fast networks over long distances need more. It does not use
	// memory of this process.
	Window uint32
	// Progress is called for each frame, up to some thousand times a second, by the goroutine
	// that has called Download. The download waits for it; default none.
	Progress func(UpdateProgress)
}

// ensureDefaults replaces zero values by their defaults and checks the others.
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

// UpdatePhase is the phase of a download.
type UpdatePhase uint8

// The phases in order. Only Client.Update goes back, to UpdateAway.
const (
	// UpdateChecking: the part of the file that exists already is checked.
	UpdateChecking UpdatePhase = iota
	// UpdateInLine: the download waits in the server's queue.
	UpdateInLine
	// UpdateReceiving: data arrives.
	UpdateReceiving
	// UpdateAway: the connection was lost. The next attempt is after Retry.
	UpdateAway
)

func (p UpdatePhase) String() string {
	names := [...]string{"checking", "in line", "receiving", "away"}
	if int(p) < len(names) {
		return names[p]
	}
	return fmt.Sprintf("phase(%d)", uint8(p))
}

// UpdateProgress is the progress of a download. It has no time; a caller that shows a rate
// must measure it.
type UpdateProgress struct {
	Phase UpdatePhase
	// Done is how many bytes of Size are checked or written. It may go back to the last whole
	// chunk when a connection is lost.
	Done, Size uint64
	// Position is the position in the server's queue; 1 is next, 0 is not known.
	Position int
	// Reason and Retry are set for UpdateAway.
	Reason error
	Retry  time.Duration
}

// Download downloads the file and returns its path once the file is complete, verified and
// durable. It may be called once for each offer. Data is written to NAME.part. What an
// earlier download has left there is checked first, and its right chunks are kept; each new
// chunk is checked too. Download neither runs nor removes the file. If the complete file
// exists already, nothing is downloaded.
//
// When ctx ends, the server is told, and right chunks are kept. ErrUpdateBroken means that
// another Login gets the offer again and that its Download continues; Client.Update does
// that. Other errors are ErrUpdateData, an *UpdateError, an *UpdateFileError, a
// *RefusedError if the server ends the session, ErrProtocol, and ErrClosed after Close or an
// earlier Download. Download always ends the connection.
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

// download is one call of Download. Only its goroutine uses it.
type download struct {
	offer *UpdateOffer
	o     DownloadOptions
	file  *partFile
	acked uint64
	// taken says that the server has confirmed the accepted offer.
	taken bool
	// away is the server's announcement of its end; nil for none.
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

// receive requests the missing part of the file and writes it.
func (d *download) receive() error {
	d.acked = d.file.at
	accept := &pb.AcceptUpdate{Offset: d.file.at, Window: d.o.Window}
	// A failed send is not the reason to report: the server may have sent one before.
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

// takeData writes received data and acknowledges it after a quarter of the window.
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
	// If the send fails, the server has closed the connection. Its last messages are still
	// read.
	_ = d.offer.talk.say(&pb.ClientFrame{Body: &pb.ClientFrame_UpdateReceived{UpdateReceived: &pb.UpdateReceived{Offset: d.acked}}})
	return nil
}

func (d *download) tell(phase UpdatePhase, position int) {
	d.o.Progress(UpdateProgress{Phase: phase, Done: d.file.at, Size: d.offer.Size, Position: position})
}

// maxEndMessages is the most messages that are read before UpdateSent.
const maxEndMessages = 64

// hearEnd waits for the server's UpdateSent, for a limited time. The download does not
// depend on it, because the hash is right and the file has its name.
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
			d.offer.talk.end() // complete: there is nothing to cancel
			return
		default:
			return
		}
	}
}

// brokenOr wraps errors as ErrUpdateBroken after which another sign-in may continue.
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

// failed returns the server's reason as an error. Reasons that were added later are kept as
// their number.
func failed(m *pb.UpdateFailed) *UpdateError {
	if m.GetReason() <= 0 {
		return &UpdateError{codec.TransferEndCount}
	}
	return &UpdateError{codec.TransferEnd(octet(m.GetReason()))}
}
