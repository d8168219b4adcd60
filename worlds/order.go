package worlds

import (
	"errors"
	"fmt"
)

// Validate tells whether the order says exactly one thing, and a notice in text
// that shows as it is.
func (o *Order) Validate() error {
	switch {
	case (o.Notice == "") == (o.Maintenance == nil):
		return errors.New("order: must have either a notice or maintenance")
	case !printable(o.Notice, 0, MaxNotice):
		return fmt.Errorf("notice: must have at most %d bytes of printable text on one line", MaxNotice)
	}
	return nil
}
