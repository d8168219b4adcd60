package client

import (
	"fmt"
	"strings"
	"time"

	"gatepass/client"
)

const (
	// meterEvery is the time between two updates of the meter on a terminal.
	meterEvery = 200 * time.Millisecond
	// printEvery is the time between two progress lines for programs.
	printEvery = time.Second
	// rateOver is the time over which the rate is averaged.
	rateOver = 5 * time.Second
	// meterCells is the width of the bar, in cells.
	meterCells = 24
)

// meter shows the progress of a download in one line. It reads no clock.
type meter struct {
	build   uint16 // of this client
	now     client.UpdateProgress
	told    time.Time
	samples []sample // of UpdateReceiving, within rateOver
}

// sample is the number of received bytes at a time.
type sample struct {
	at   time.Time
	done uint64
}

// take records the progress.
func (m *meter) take(at time.Time, p client.UpdateProgress) {
	if p.Phase != client.UpdateReceiving || len(m.samples) > 0 && p.Done < m.samples[0].done {
		m.samples = nil
	}
	if m.now, m.told = p, at; p.Phase != client.UpdateReceiving {
		return
	}
	if n := len(m.samples); n == 0 || at.Sub(m.samples[n-1].at) >= meterEvery {
		m.samples = append(m.samples, sample{at, p.Done})
	}
	for len(m.samples) > 2 && at.Sub(m.samples[1].at) >= rateOver {
		m.samples = m.samples[1:]
	}
}

// rate returns bytes per second, or 0 if the rate is unknown.
func (m *meter) rate(at time.Time) float64 {
	if len(m.samples) == 0 {
		return 0
	}
	first := m.samples[0]
	took := at.Sub(first.at)
	if took < meterEvery {
		return 0
	}
	return float64(m.now.Done-first.done) / took.Seconds()
}

// line returns the player's line at a time.
func (m *meter) line(at time.Time) string {
	p := m.now
	switch p.Phase {
	case client.UpdateChecking:
		return "looking through what is here   " + percent(p)
	case client.UpdateInLine:
		if p.Position == 0 {
			return "waiting for the file"
		}
		return fmt.Sprintf("waiting in line: number %d", p.Position)
	case client.UpdateAway:
		told := explained(p.Reason, "the login server", m.build)
		left := p.Retry - at.Sub(m.told)
		if left <= 0 {
			return told.text + "; trying again"
		}
		return fmt.Sprintf("%s; again in %d s", told.text, (left+time.Second-1)/time.Second)
	}
	text := fmt.Sprintf("%s %s  %s of %s", bar(p), percent(p), sizeInWords(p.Done), sizeInWords(p.Size))
	if rate := m.rate(at); rate >= 1 {
		text += fmt.Sprintf("  %s/s%s", sizeInWords(uint64(rate)), leftInWords(p, rate))
	}
	return text
}

func leftInWords(p client.UpdateProgress, rate float64) string {
	left := float64(p.Size-p.Done) / rate
	if left < 1 || left > 100*3600 {
		return ""
	}
	return fmt.Sprintf("  %v left", time.Duration(left)*time.Second)
}

func bar(p client.UpdateProgress) string {
	full := int(float64(p.Done) / float64(max(p.Size, 1)) * meterCells)
	return "[" + strings.Repeat("#", full) + strings.Repeat("-", meterCells-full) + "]"
}

// percent returns 100 only when everything is received.
func percent(p client.UpdateProgress) string {
	return fmt.Sprintf("%3d %%", int(float64(p.Done)/float64(max(p.Size, 1))*100))
}

// sizeInWords returns a number of bytes for people.
func sizeInWords(n uint64) string {
	if n < 1<<10 {
		return fmt.Sprintf("%d bytes", n)
	}
	value, unit := float64(n)/(1<<10), 0
	for units := 3; value >= 1000 && unit < units; unit++ {
		value /= 1 << 10
	}
	return fmt.Sprintf("%.1f %s", value, [...]string{"KiB", "MiB", "GiB", "TiB"}[unit])
}

// sieve limits the progress events for programs: a new phase passes at once, otherwise
// one line passes per printEvery.
type sieve struct {
	any  bool
	last client.UpdateProgress
	at   time.Time
}

func (s *sieve) passes(at time.Time, p client.UpdateProgress) bool {
	same := s.any && p.Phase == s.last.Phase && p.Position == s.last.Position && p.Phase != client.UpdateAway
	if same && (p.Done < p.Size || p.Done == s.last.Done) && at.Sub(s.at) < printEvery {
		return false
	}
	s.any, s.last, s.at = true, p, at
	return true
}
