package wire

import "gatepass/worlds"

// orderWire is an Order.
type orderWire struct {
	Notice      string `json:"notice,omitempty"`
	Maintenance *bool  `json:"maintenance,omitempty"`
}

// EncodeOrder encodes an operator's order to all login servers.
func EncodeOrder(o *worlds.Order) []byte { return EncodeJSON(orderWire(*o)) }

// DecodeOrder reads an order and validates it.
func DecodeOrder(b []byte) (*worlds.Order, error) {
	var w orderWire
	if err := DecodeJSON(b, maxOrder, &w); err != nil {
		return nil, err
	}
	o := worlds.Order(w)
	if o.Validate() != nil {
		return nil, errPayload
	}
	return &o, nil
}
