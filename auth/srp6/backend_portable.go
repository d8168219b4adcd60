//go:build !amd64 || purego

package srp6

// native is the fastest backend of this machine.
const native = backendPortable

func (backend) mul(z, x, y *limbs)                            { mulPortable(z, x, y) }
func (backend) sqr(z, x *limbs, count int)                    { sqrPortable(z, x, count) }
func (backend) power(z *limbs, table *window, digits []byte)  { powerPortable(z, table, digits) }
func (backend) comb(z *limbs, tables []window, digits []byte) { combPortable(z, tables, digits) }
