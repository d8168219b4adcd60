package bus

import "gatepass/worlds"

// orderWire is an Order.
type orderWire struct {
	Notice      string `json:"notice,omitempty"`
	Maintenance *bool  `json:"maintenance,omitempty"`
}

func encodeOrder(o *worlds.Order) []byte { return encodeJSON(orderWire(*o)) }

func decodeOrder(b []byte) (*worlds.Order, error) {
	var w orderWire
	if err := decodeJSON(b, maxOrder, &w); err != nil {
		return nil, err
	}
	o := worlds.Order(w)
	if o.Validate() != nil {
		return nil, errPayload
	}
	return &o, nil
}
