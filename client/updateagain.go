package client

import (
	"context"
	"errors"
	"time"
)

// updateTries is how often Client.Update reconnects without receiving new data before it
// gives up. That takes some minutes, so that a server can restart meanwhile.
const updateTries = 10

// Update downloads the file of an offer from this client's Login. If the download is
// interrupted, it signs in again, after the waits of Options.Backoff, and continues. Its
// options and errors are those of UpdateOffer.Download. If the server offers another file
// then, the error is that *UpdateOffer, because the player has not agreed to it. While an
// operator replaces a changed file, the server may have none to offer and refuse the build;
// Update then tries again too. ErrNotWanted means that the server now accepts the build. who
// is used as by Login.
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

// resumable reports whether another attempt may succeed.
func resumable(err error) bool {
	for _, e := range []error{ErrUpdateBroken, ErrProtocol, ErrUpdateOffset, ErrUpdateChanged, ErrUpdateFault} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// again is the state of one call of Update.
type again struct {
	client   *Client
	who      Credentials
	progress func(UpdateProgress)
	tries    int // attempts since the last new data
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

// signIn signs in again and returns the next offer. reason is why it is needed.
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
