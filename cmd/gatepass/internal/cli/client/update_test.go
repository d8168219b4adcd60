package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spf13/cobra"

	"gatepass/client"
	"gatepass/cmd/gatepass/internal/exit"
)

func someOffer() *client.UpdateOffer {
	return &client.UpdateOffer{
		From: 5, To: 6, Size: 3 << 20, SHA256: [32]byte{0xab}, ChunkSize: 1 << 20, Name: "patch\x1b.bin", Steps: 2, Total: 5 << 30,
	}
}

func TestEventPrinter_TellsOfUpdates(t *testing.T) {
	zeros := strings.Repeat("00", 31)
	for _, c := range []struct {
		news any
		want string
	}{
		{updateOfferedNews{someOffer()}, `{"event":"update-offered","from":5,"name":"patch\u001b.bin","sha256":"ab` + zeros + `","size":3145728,"steps":2,"to":6,"total":5368709120}`},
		{client.UpdateProgress{Done: 1, Size: 3}, `{"event":"update-progress","done":1,"phase":"checking","size":3}`},
		{client.UpdateProgress{Phase: client.UpdateInLine, Size: 3}, `{"event":"update-progress","done":0,"phase":"in line","size":3}`},
		{client.UpdateProgress{Phase: client.UpdateInLine, Position: 4}, `{"event":"update-queued","position":4}`},
		{client.UpdateProgress{Phase: client.UpdateAway, Reason: io.EOF, Retry: time.Second}, `{"event":"update-retrying","reason":"lost","retry_seconds":1,"text":"the connection was lost"}`},
		{updatedNews{someOffer(), "/d/p"}, `{"event":"update-done","path":"/d/p","sha256":"ab` + zeros + `","steps":1,"to":6}`},
		{updateFailedNews{client.ErrUpdateFault}, `{"event":"update-failed","reason":"update-fault","text":"no more of the update: the server could not read it"}`},
		{updateFailedNews{&client.UpdateFileError{Path: "/d/p.part", Err: client.ErrInTheWay}}, `{"event":"update-failed","reason":"file","text":"/d/p.part: something else is in the way; move it or take another folder"}`},
		{updateFailedNews{fmt.Errorf("%w: x", client.ErrUpdateData)}, `{"event":"update-failed","reason":"update-data","text":"the update's data is not what was offered: x"}`},
		{updateFailedNews{client.ErrVersion}, `{"event":"update-failed","reason":"version-invalid","text":"the server does not take this version of the game (this is build 77; --build names another)"}`},
		{client.UpdateProgress{Phase: client.UpdateAway, Reason: client.ErrVersion}, `{"event":"update-retrying","reason":"version-invalid","retry_seconds":0,"text":"the server does not take this version of the game (this is build 77; --build names another)"}`},
		{client.UpdateProgress{Phase: client.UpdateAway, Reason: fmt.Errorf("%w: %w (%w)", client.ErrUpdateBroken, client.ErrOfferOver, client.ErrIdle)}, `{"event":"update-retrying","reason":"idle","retry_seconds":0,"text":"the offer is over: it was not answered in time"}`},
	} {
		var out bytes.Buffer
		if err := newEventPrinter(&out, 77).tell(c.news); err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSuffix(out.String(), "\n"); got != c.want {
			t.Errorf("%T\n got %s\nwant %s", c.news, got, c.want)
		}
	}
}

// A meter shows the rate of the last seconds and the remaining time at that rate.
func TestMeter_SaysHowFarItIs(t *testing.T) {
	start := time.Unix(1_000_000, 0)
	receiving := func(done uint64) client.UpdateProgress {
		return client.UpdateProgress{Phase: client.UpdateReceiving, Done: done << 20, Size: 200 << 20}
	}
	m := &meter{}
	for _, c := range []struct {
		at   time.Duration
		p    client.UpdateProgress
		want string
	}{
		{0, client.UpdateProgress{Done: 199, Size: 200}, "looking through what is here    99 %"},
		{0, client.UpdateProgress{Phase: client.UpdateInLine}, "waiting for the file"},
		{0, client.UpdateProgress{Phase: client.UpdateInLine, Position: 12}, "waiting in line: number 12"},
		{0, receiving(50), "[######------------------]  25 %  50.0 MiB of 200.0 MiB"},
		{time.Second, receiving(60), "[#######-----------------]  30 %  60.0 MiB of 200.0 MiB  10.0 MiB/s  14s left"},
		{2 * time.Second, receiving(70), "[########----------------]  35 %  70.0 MiB of 200.0 MiB  10.0 MiB/s  13s left"},
		{7 * time.Second, receiving(75), "[#########---------------]  37 %  75.0 MiB of 200.0 MiB  1.0 MiB/s  2m5s left"},
		{8 * time.Second, client.UpdateProgress{Phase: client.UpdateAway, Reason: io.EOF, Retry: 1500 * time.Millisecond}, "the connection was lost; again in 2 s"},
		{20 * time.Second, receiving(74), "[########----------------]  37 %  74.0 MiB of 200.0 MiB"},
		{21 * time.Second, receiving(200), "[########################] 100 %  200.0 MiB of 200.0 MiB  126.0 MiB/s"},
	} {
		m.take(start.Add(c.at), c.p)
		if got := m.line(start.Add(c.at)); got != c.want {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}
	if n := len(m.samples); n > 30 {
		t.Errorf("%d samples are kept", n)
	}
	m.take(start, client.UpdateProgress{Phase: client.UpdateAway, Reason: io.EOF, Retry: time.Second})
	if got := m.line(start.Add(time.Second)); got != "the connection was lost; trying again" {
		t.Errorf("behind the wait: %q", got)
	}
	m.take(start, receiving(200))
	if got := m.line(start.Add(time.Hour)); !strings.Contains(got, "100 %") {
		t.Errorf("later: %q", got)
	}
}

func TestMeter_ForgetsOldSamples(t *testing.T) {
	m := &meter{}
	for i := range 100_000 {
		m.take(time.Unix(0, int64(i)*int64(time.Millisecond)), client.UpdateProgress{Phase: client.UpdateReceiving, Done: uint64(i), Size: 1 << 20})
	}
	if n := len(m.samples); n > 30 {
		t.Errorf("%d samples are kept", n)
	}
	if rate := m.rate(time.Unix(100, 0)); rate < 990 || rate > 1010 {
		t.Errorf("%f bytes a second", rate)
	}
}

func TestSizeInWords(t *testing.T) {
	for n, want := range map[uint64]string{
		0: "0 bytes", 1023: "1023 bytes", 1024: "1.0 KiB", 999 << 10: "999.0 KiB", 1000 << 10: "1.0 MiB", 3 << 29: "1.5 GiB", 1 << 40: "1.0 TiB", 1 << 60: "1048576.0 TiB",
	} {
		if got := sizeInWords(n); got != want {
			t.Errorf("%d is %q, want %q", n, got, want)
		}
	}
}

// Programs get a new phase at once, and otherwise one line per second.
func TestSieve_BoundsTheLines(t *testing.T) {
	s, at, lines := &sieve{}, time.Unix(0, 0), 0
	for i := range uint64(100_000) { // 10 s
		if s.passes(at, client.UpdateProgress{Phase: client.UpdateReceiving, Done: i, Size: 100_000}) {
			lines++
		}
		at = at.Add(100 * time.Microsecond)
	}
	if lines != 10 {
		t.Errorf("%d lines in 10 s", lines)
	}
	for _, p := range []client.UpdateProgress{
		{Phase: client.UpdateReceiving, Done: 100_000, Size: 100_000}, {Phase: client.UpdateInLine, Position: 2}, {Phase: client.UpdateInLine, Position: 1},
		{Phase: client.UpdateAway}, {Phase: client.UpdateAway},
	} {
		if !s.passes(at, p) {
			t.Errorf("%+v is kept back", p)
		}
	}
}

// lines returns the visit of a program whose standard input is input.
func lines(flags settings, input string) (*visit, *bytes.Buffer) {
	c, out := &cobra.Command{}, &bytes.Buffer{}
	c.SetIn(strings.NewReader(input))
	c.SetOut(out)
	c.SetErr(out)
	return newVisit(c, &flags), out
}

func TestVisit_AgreesByFlagOrLine(t *testing.T) {
	for _, c := range []struct {
		flags  settings
		input  string
		agreed bool
		told   string
	}{
		{settings{}, "update\n", true, ""}, {settings{}, "quit\nupdate\n", false, ""}, {settings{}, "", false, ""},
		{settings{}, "select 3\nupdate\n", true, `"command":"select","reason":"failed","text":"an update is offered`},
		{settings{}, "dance\n", false, `"command":"unknown"`},
		{settings{yes: true}, "", true, ""}, {settings{updateDir: "d"}, "quit\n", true, ""},
		{settings{once: true, json: true}, "update\n", false, ""}, {settings{forget: true, json: true}, "update\n", false, ""},
	} {
		synctest.Test(t, func(t *testing.T) {
			v, out := lines(c.flags, c.input)
			agreed, err := v.agrees(t.Context(), someOffer())
			if agreed != c.agreed || err != nil || !strings.Contains(out.String(), `{"event":"update-offered"`) || !strings.Contains(out.String(), c.told) {
				t.Errorf("%q, %+v: %t, %v\n%s", c.input, c.flags, agreed, err, out)
			}
		})
	}
}

// Each result of an update has its own exit code, and programs get it once.
func TestVisit_UpdateExitCodes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, out := lines(settings{once: true, json: true}, "")
		_, err := v.maybeDownload(t.Context(), nil, client.Credentials{}, someOffer())
		if told, ok := v.fail(err).(*playerError); !ok || told.code != exitDeclined || !strings.Contains(out.String(), `"fatal":true,"reason":"version-update"`) {
			t.Errorf("%v\n%s", err, out)
		}
		v, out = lines(settings{}, "")
		err = v.fail(v.tellUpdated(updatedNews{someOffer(), "/d/p"}))
		if told, ok := err.(*playerError); !ok || told.code != exitUpdated || !strings.Contains(told.text, "run /d/p") || strings.Contains(out.String(), "fatal") {
			t.Errorf("%v\n%s", err, out)
		}
		v, out = lines(settings{}, "")
		err = v.fail(v.updateFailed(context.Canceled))
		if told, ok := err.(*playerError); !ok || told.code != exit.CodeInterrupted || !strings.Contains(told.text, "goes on from there") || strings.Count(out.String(), `"reason":"interrupted"`) != 2 {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// The quit order ends a download. Other orders get an answer.
func TestVisit_DownloadHearsOrders(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		v, out := lines(settings{}, "select 3\nquit\n")
		v.input.follow(v.orders, v.codes, v.events)
		_, err := v.download(t.Context(), func(ctx context.Context, progress func(client.UpdateProgress)) (string, error) {
			progress(client.UpdateProgress{Phase: client.UpdateInLine, Position: 1})
			<-ctx.Done()
			return "", ctx.Err()
		})
		if !errors.Is(err, context.Canceled) || !strings.Contains(out.String(), "quit ends that") || !strings.Contains(out.String(), "update-queued") {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

// On a terminal the line is drawn when it changes, and removed at the end.
func TestShown_DrawsWhatChanges(t *testing.T) {
	s, out := &shown{}, &bytes.Buffer{}
	s.draw(out, time.Now())
	s.take(client.UpdateProgress{Phase: client.UpdateInLine, Position: 2})
	s.draw(out, time.Now())
	s.draw(out, time.Now())
	if got := out.String(); got != clearLine+"waiting in line: number 2" {
		t.Errorf("drawn: %q", got)
	}
}

func TestOfferText_HasNothingThatDoesNotPrint(t *testing.T) {
	want := "Build 5 must be updated to build 6 before it is let in.\nThe update is patch.bin, 3.0 MiB; it is the first of 2, 5.0 GiB in all.\n"
	if got := offerText(someOffer()); got != want {
		t.Errorf("got %q", got)
	}
}
