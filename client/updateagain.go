package client

import (
	"context"
	"errors"
	"time"
)

// updateTries is how often Client.Update comes back without a byte that is new before
// it gives up: some minutes, so that a server may be started anew.
const updateTries = 10

// Update downloads the file of an offer that this client's Login has made, and when
// that breaks off signs in anew, after the waits of Options.Backoff, and goes on where
// it was. Options of the download are those of UpdateOffer.Download, and so are the
// errors. Another file that is offered by then is the error, an *UpdateOffer again: its
// player has not agreed to that one yet. While the server mends a file that was changed
// under way it may have none to offer, so that a build that is not let in is tried
// again, too. ErrNotWanted says that the build is let in
// meanwhile. who is asked as by Login.
func (c *Client) Update(ctx context.Context, who Credentials, offer *UpdateOffer, o DownloadOptions) (path string, err error) {
	a := &again{client: c, who: who, progress: o.Progress}
	o.Progress = a.watch
	for {
		path, err := offer.Download(ctx, o)
		if err == nil || !resumable(err) {
			return path, err
		}
		next, err := a.signIn(ctx, err)
		if err != nil {
			return "", err
		}
		if next.SHA256 != offer.SHA256 {
			return "", next
		}
		offer = next
	}
}

// resumable tells of errors that another try may not bring again.
func resumable(err error) bool {
	for _, e := range []error{ErrUpdateBroken, ErrProtocol, ErrUpdateOffset, ErrUpdateChanged, ErrUpdateFault} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// again is one Update beside its downloads.
type again struct {
	client   *Client
	who      Credentials
	progress func(UpdateProgress)
	tries    int // since the last byte that was new
	last     UpdateProgress
	best     uint64
}

func (a *again) watch(p UpdateProgress) {
	if a.last = p; p.Phase == UpdateReceiving && p.Done > a.best {
		a.best, a.tries = p.Done, 0
	}
	if a.progress != nil {
		a.progress(p)
	}
}

// signIn brings the next offer; reason is why it is needed.
func (a *again) signIn(ctx context.Context, reason error) (*UpdateOffer, error) {
	mended := errors.Is(reason, ErrUpdateChanged) || errors.Is(reason, ErrUpdateFault)
	for a.tries < updateTries {
		if err := a.wait(ctx, reason); err != nil {
			return nil, err
		}
		a.tries++
		s, err := a.client.Login(ctx, a.who)
		if err == nil {
			return nil, errors.Join(ErrNotWanted, s.Close())
		}
		var offer *UpdateOffer
		switch {
		case errors.As(err, &offer):
			return offer, nil
		case ctx.Err() != nil:
			return nil, context.Cause(ctx)
		case final(err) && !(mended && errors.Is(err, ErrVersion)):
			return nil, err
		}
		reason = err
	}
	return nil, reason
}

func (a *again) wait(ctx context.Context, reason error) error {
	pause, err := jittered(&a.client.o, a.tries, reason)
	if err != nil {
		return err
	}
	p := a.last
	p.Phase, p.Position, p.Reason, p.Retry = UpdateAway, 0, reason, pause
	a.watch(p)
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
