package client

import "gatepass/codec"

// fold checks an account's name and returns it in upper case, as the protocol's proofs need
// it.
func fold(name string) (string, error) {
	if len(name) == 0 || len(name) > codec.MaxName || name[0] == ' ' || name[len(name)-1] == ' ' {
		return "", ErrAccount
	}
	b := []byte(name)
	for i, c := range b {
		if c < ' ' || c > '~' || c == ':' {
			return "", ErrAccount
		}
		if 'a' <= c && c <= 'z' {
			b[i] = c - 'a' + 'A'
		}
	}
	return string(b), nil
}
