package client

import "testing"

// What a login holds is wiped when it ends.
func TestLogin_Wipe(t *testing.T) {
	l := &login{token: &Token{Family: [16]byte{1}, Secret: [32]byte{2}, Key: [32]byte{3}}}
	token := l.token
	l.session[0] = 1
	l.wipe()
	if l.session != [32]byte{} || *token != (Token{}) {
		t.Errorf("left of the login: %v, of its token: %v", l.session, *token)
	}
}

// A token that is not to be had leaves nothing of its secret.
func TestRemembering_Answer_WipesTheSecret(t *testing.T) {
	answered := make(chan error, 1)
	r := &remembering{secret: [32]byte{1, 2, 3}, done: []chan error{answered}}
	r.answer(nil)
	if r.secret != [32]byte{} || len(answered) != 1 {
		t.Errorf("left of the secret: %v, answers: %d", r.secret, len(answered))
	}
}
