package client

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"gatepass/client"
	"gatepass/cmd/gatepass/internal/cli/terminal"
	"gatepass/cmd/gatepass/internal/exit"
)

const (
	// exitUpdated is the exit code when an update is stored and must be started.
	exitUpdated = 4
	// exitDeclined is the exit code when the player declined the update.
	exitDeclined = 5
	// maxOffers is how often one run accepts a new offer in place of the one before.
	maxOffers = 3
)

var errUpdateFirst = errors.New("an update is offered; say update, or quit")

// News of updates, in addition to client.UpdateProgress.
type (
	updateOfferedNews struct{ offer *client.UpdateOffer }
	// updatedNews: the file is at path.
	updatedNews struct {
		offer *client.UpdateOffer
		path  string
	}
	updateFailedNews struct{ err error }
)

// describeUpdate is describe for news of updates.
func (e *eventPrinter) describeUpdate(news any) (string, fields) {
	switch n := news.(type) {
	case updateOfferedNews:
		o := n.offer
		return "update-offered", fields{
			"from": o.From, "to": o.To, "size": o.Size, "sha256": hex.EncodeToString(o.SHA256[:]), "name": o.Name,
			"steps": o.Steps, "total": o.Total,
		}
	case client.UpdateProgress:
		return e.describeProgress(n)
	case updatedNews:
		return "update-done", fields{"path": n.path, "to": n.offer.To, "sha256": hex.EncodeToString(n.offer.SHA256[:]), "steps": n.offer.Steps - 1}
	case updateFailedNews:
		told := explained(n.err, "the login server", e.build)
		return "update-failed", fields{"reason": told.reason(), "text": told.text}
	}
	return "", nil
}

func (e *eventPrinter) describeProgress(p client.UpdateProgress) (string, fields) {
	switch {
	case p.Phase == client.UpdateAway:
		told := explained(p.Reason, "the login server", e.build)
		return "update-retrying", fields{"reason": told.reason(), "text": told.text, "retry_seconds": seconds(p.Retry)}
	case p.Position > 0:
		return "update-queued", fields{"position": p.Position}
	}
	return "update-progress", fields{"phase": p.Phase.String(), "done": p.Done, "size": p.Size}
}

// update handles an offer. Its error has the exit code.
func (v *visit) update(ctx context.Context, c *client.Client, who client.Credentials, offer *client.UpdateOffer) error {
	v.offered = true
	var err error
	for range maxOffers {
		var path string
		if path, err = v.maybeDownload(ctx, c, who, offer); err == nil {
			return v.tellUpdated(updatedNews{offer, path})
		}
		next := (*client.UpdateOffer)(nil)
		if !errors.As(err, &next) {
			return err
		}
		offer = next
	}
	_ = offer.Close()
	return err
}

// maybeDownload shows an offer and downloads it if the player agrees. The offer has
// ended when it returns.
func (v *visit) maybeDownload(ctx context.Context, c *client.Client, who client.Credentials, offer *client.UpdateOffer) (string, error) {
	defer offer.Close()
	agreed, err := v.agrees(ctx, offer)
	if err != nil {
		return "", err
	}
	if !agreed {
		text := fmt.Sprintf("build %d must be updated to build %d first, and the update was declined", offer.From, offer.To)
		return "", &playerError{text: text, code: exitDeclined, cause: client.ErrUpdate}
	}
	path, err := v.download(ctx, func(ctx context.Context, progress func(client.UpdateProgress)) (string, error) {
		return c.Update(ctx, who, offer, client.DownloadOptions{Dir: v.updateDir, Progress: progress})
	})
	if err != nil {
		return "", v.updateFailed(err)
	}
	return filepath.Abs(path)
}

// updateFailed prints the reason, except for a new offer, which is not a failure.
func (v *visit) updateFailed(err error) error {
	switch {
	case errors.As(err, new(*client.UpdateOffer)):
		return err
	case errors.Is(err, context.Canceled):
		err = &playerError{text: "interrupted; what is here of the update stays, and the next run goes on from there", code: exit.CodeInterrupted, cause: err}
	}
	if v.events != nil {
		_ = v.events.tell(updateFailedNews{err})
	}
	return err
}

// agrees returns a flag's answer, or asks the player on the terminal or by lines.
func (v *visit) agrees(ctx context.Context, offer *client.UpdateOffer) (bool, error) {
	if v.events != nil {
		if err := v.events.tell(updateOfferedNews{offer}); err != nil {
			return false, err
		}
	} else {
		fmt.Fprint(v.cmd.ErrOrStderr(), offerText(offer))
	}
	if v.yes || v.updateDir != "" {
		return true, nil
	}
	if v.events != nil {
		return v.agreesByLine(ctx), ctx.Err()
	}
	t, ok := terminal.ConsoleOf(v.cmd)
	if !ok || v.stdin {
		v.warn("there is no terminal to ask on; --update names the folder for it")
		return false, nil
	}
	fmt.Fprint(t.Out, "Download it to this folder? [y/N] ")
	line, err := terminal.Await(ctx, v.input.line)
	if err != nil && ctx.Err() == nil {
		err = nil // the end of the input means no
	}
	answer := strings.ToLower(strings.TrimSpace(line))
	return answer == "y" || answer == "yes", err
}

// agreesByLine waits for the command. The end of the input means no. With --once or
// --forget it returns false at once.
func (v *visit) agreesByLine(ctx context.Context) bool {
	if v.once || v.forget {
		return false
	}
	v.input.follow(v.orders, v.codes, v.events)
	for {
		select {
		case o := <-v.orders:
			if agreed, decided := v.decides(o); decided {
				return agreed
			}
		case <-v.codes.ended:
			select {
			case o := <-v.orders: // the last line
				agreed, _ := v.decides(o)
				return agreed
			default:
				return false
			}
		case <-ctx.Done():
			return false
		}
	}
}

func (v *visit) decides(o order) (agreed, decided bool) {
	if o.deed == deedUpdate || o.deed == deedQuit {
		return o.deed == deedUpdate, true
	}
	_ = v.events.tell(refusedNews{o.deed, o.world, errUpdateFirst})
	return false, false
}

func offerText(o *client.UpdateOffer) string {
	text := fmt.Sprintf("Build %d must be updated to build %d before it is let in.\nThe update is %s, %s",
		o.From, o.To, printable(o.Name), sizeInWords(o.Size))
	if o.Steps > 1 {
		text += fmt.Sprintf("; it is the first of %d, %s in all", o.Steps, sizeInWords(o.Total))
	}
	return text + ".\n"
}

// tellUpdated prints where the file is. Its error says how to use it.
func (v *visit) tellUpdated(n updatedNews) error {
	var err error
	if v.events != nil {
		err = v.events.tell(n)
	} else {
		_, err = fmt.Fprintf(v.cmd.OutOrStdout(), "%s\nSHA-256 %x\n", n.path, n.offer.SHA256)
	}
	if err != nil {
		return err
	}
	text := fmt.Sprintf("updated: run %s, then come back with build %d", n.path, n.offer.To)
	if n.offer.Steps > 1 {
		text += fmt.Sprintf("; another update follows (%d in all)", n.offer.Steps-1)
	}
	return &playerError{text: text, code: exitUpdated}
}
