package worlds

import (
	"errors"
	"fmt"
)

// Validate returns an error unless the order has exactly one instruction, and the text
// of a notice is printable.
func (o *Order) Validate() error {
	switch {
	case (o.Notice == "") == (o.Maintenance == nil):
		return errors.New("order: must have either a notice or maintenance")
	case !printable(o.Notice, 0, MaxNotice):
		return fmt.Errorf("notice: must have at most %d bytes of printable text on one line", MaxNotice)
	}
	return nil
}
