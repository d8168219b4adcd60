package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
)

// Errors of Order.
var (
	// ErrNobodyHears: no login server is on the bus.
	ErrNobodyHears = errors.New("bus: no login server is there to hear it")
	// ErrMayNotOrder: the credentials were made without the right to give orders.
	ErrMayNotOrder = errors.New("bus: these credentials were made before there were orders; make new ones")
)

// Order tells every login server that is on the bus just now; one that comes later
// does not hear of it. When it returns nil the bus has taken it. Only operators may.
func (c *Conn) Order(ctx context.Context, o worlds.Order) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	// Nobody answers an order, but where nobody listens the bus itself does, before
	// it confirms the flush.
	inbox := c.nats.NewInbox()
	nobody, err := c.nats.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	defer func() { _ = nobody.Unsubscribe() }()
	if err := c.nats.PublishRequest(subjectOrder, inbox, encodeOrder(&o)); err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	if err := c.nats.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	if err := c.nats.LastError(); errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+subjectOrder+`"`) {
		return ErrMayNotOrder
	}
	if n, _, err := nobody.Pending(); err == nil && n > 0 {
		return ErrNobodyHears
	}
	return nil
}
