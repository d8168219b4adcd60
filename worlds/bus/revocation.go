package bus

import (
	"io/fs"
	"os"
	"strings"
	"time"
)

// follow takes a new token of the region, with new revocations, while the server
// runs. It looks at the file's time and size, and reads only what has changed.
func (s *Server) follow(path string, t trust) {
	defer s.background.Done()
	ticker := time.NewTicker(authorityPoll)
	defer ticker.Stop()
	var seen fs.FileInfo
	for {
		select {
		case <-s.life.Done():
			return
		case <-ticker.C:
		}
		now, err := os.Stat(path)
		if err != nil || seen != nil && os.SameFile(now, seen) && now.ModTime().Equal(seen.ModTime()) {
			continue // a file that is away for a moment is being replaced by hand
		}
		seen = now
		if err := s.takeRegion(path, &t); err != nil {
			s.log.Error("bus: the new token of the region is not taken", "error", err)
		}
	}
}

// takeRegion gives the server what the file says; connections that are revoked
// by it are cut.
func (s *Server) takeRegion(path string, t *trust) error {
	claims, err := readAccount(path)
	if err != nil {
		return err
	}
	token, err := readBounded(path)
	if err != nil || strings.TrimSpace(string(token)) == t.regionT {
		return err
	}
	if err := t.vouches(claims); err != nil {
		return err
	}
	s.nats.change.Lock()
	defer s.nats.change.Unlock()
	// A server that replaces this one asks the resolver.
	running := s.nats.now()
	if err := running.AccountResolver().Store(t.region.Subject, strings.TrimSpace(string(token))); err != nil {
		return err
	}
	t.regionT = strings.TrimSpace(string(token))
	account, err := running.LookupAccount(t.region.Subject)
	if err != nil {
		return err
	}
	running.UpdateAccountClaims(account, claims)
	s.log.Info("bus: the region's token has changed", "revoked", len(claims.Revocations))
	return nil
}
