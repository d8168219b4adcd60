package bus

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/nats-io/nats.go"

	"gatepass/worlds"
	"gatepass/worlds/bus/wire"
)

// Errors of Order.
var (
	// ErrNobodyHears: no login server is connected to the bus.
	ErrNobodyHears = errors.New("bus: no login server is connected")
	// ErrMayNotOrder: the credentials do not permit orders.
	ErrMayNotOrder = errors.New("bus: these credentials were made by a version without orders; make new ones")
)

// Order sends an order to every login server that is connected to the bus; one that
// connects later does not get it. It returns nil when the bus has accepted the order. Only
// operators have the permission.
func (c *Conn) Order(ctx context.Context, o worlds.Order) error {
	if err := o.Validate(); err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	// No login server answers an order. If none listens, the bus itself answers, before it
	// confirms the flush.
	inbox := c.nats.NewInbox()
	nobody, err := c.nats.SubscribeSync(inbox)
	if err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	defer func() { _ = nobody.Unsubscribe() }()
	if err := c.nats.PublishRequest(wire.SubjectOrder, inbox, wire.EncodeOrder(&o)); err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	if err := c.nats.FlushWithContext(ctx); err != nil {
		return fmt.Errorf("bus: order: %w", err)
	}
	if err := c.nats.LastError(); errors.Is(err, nats.ErrPermissionViolation) && strings.Contains(err.Error(), `"`+wire.SubjectOrder+`"`) {
		return ErrMayNotOrder
	}
	if n, _, err := nobody.Pending(); err == nil && n > 0 {
		return ErrNobodyHears
	}
	return nil
}
