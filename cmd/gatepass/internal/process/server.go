package process

import (
	"errors"

	"gatepass/server"
)

// AcceptFault returns an error while a server cannot accept clients.
func AcceptFault(st server.Stats) error {
	if st.CannotAccept {
		return errors.New("clients cannot be accepted, for want of file descriptors or memory; see the log")
	}
	return nil
}
