package busserver

import (
	"io/fs"
	"os"
	"strings"
	"time"

	"gatepass/worlds/bus/credentials"
)

// follow gives the running server each new token of the region, with new revocations. It
// checks the time of the file and reads it only if it has changed.
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
			continue // a missing file is being replaced by hand
		}
		seen = now
		if err := s.takeRegion(path, &t); err != nil {
			s.log.Error("bus: the region's new token is refused", "error", err)
		}
	}
}

// takeRegion gives the server the token in the file. The server closes the connections
// of nodes that the token revokes.
func (s *Server) takeRegion(path string, t *trust) error {
	claims, err := credentials.ReadAccount(path)
	if err != nil {
		return err
	}
	token, err := credentials.ReadFile(path)
	if err != nil || strings.TrimSpace(string(token)) == t.regionT {
		return err
	}
	if err := t.vouches(claims); err != nil {
		return err
	}
	s.nats.change.Lock()
	defer s.nats.change.Unlock()
	// A server that replaces this one reads the token from the resolver.
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
