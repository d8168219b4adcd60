package e2e

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"
	"time"

	"gatepass/auth"
	native "gatepass/client"
)

// textsOf are the texts, in small letters, in which bytes could turn up.
func textsOf(b []byte) []string {
	return []string{
		hex.EncodeToString(b), strings.ToLower(base64.StdEncoding.EncodeToString(b)), strings.ToLower(base64.RawURLEncoding.EncodeToString(b)),
		// How fmt writes bytes, and encoding/json an array: the first eight tell.
		strings.Trim(fmt.Sprint(b[:8]), "[]"), strings.ReplaceAll(strings.Trim(fmt.Sprint(b[:8]), "[]"), " ", ","),
	}
}

// TestNative_NoSecrets: at its most talkative the server says nothing secret, in its
// log, its metrics and its goroutines' labels; nor does a world's gate.
func TestNative_NoSecrets(t *testing.T) {
	t.Parallel()
	g, demos := startNative(t, append(hasty, "GATEPASS_LOG__LEVEL=debug", "GATEPASS_DRAIN_LIMIT=300ms")...)
	authenticator := g.authenticator("ana")
	folder := t.TempDir()
	secrets := make(map[string][]string)
	note := func(what string, texts ...string) { secrets[what] = append(secrets[what], texts...) }
	noteToken := func() {
		token, err := native.NewFileTokens(folder).Load("ANA")
		must(t, err)
		note("token's key", textsOf(token.Key[:])...)
		note("token's secret", textsOf(token.Secret[:])...)
	}
	note("password", "s3cretpw", "wr0ngpw", "n3wpass")
	g.account("s3cretpw\n", "passwd", "--native-kdf", "8192,1,1", "--password-stdin", "ana")
	code := authenticator.Code(auth.TOTPStep(time.Now()))
	credentials, _ := typing("ana", code)
	credentials.Password = "s3cretpw"
	s, err := signIn(t, g.said["native"], credentials, remembering(folder))
	must(t, err)
	noteToken()
	wrong := credentials
	wrong.Password = "wr0ngpw"
	mustNotSignIn(t, g.said["native"], wrong, guestOptions())
	mustNotSignIn(t, g.said["native"], credentials, guestOptions()) // the code was used
	must(t, s.Close())
	s, err = signIn(t, g.said["native"], native.Credentials{Account: "ana"}, remembering(folder))
	must(t, err)
	noteToken()
	must(t, s.mustEnter(1).Send(7, []byte("wh1spered")))
	note("packet", "wh1spered")
	g.addNative("bea", "s3cretpw")
	w := wireSignIn(t, g.said["native"], who{"BEA", "s3cretpw"})
	note("session secret", textsOf(w.session[:])...)
	note("exchanged secret", textsOf(w.srp.Secret())...)
	w.mustKnock(2)
	b := w.frame(ping(1))
	b[5] ^= 1
	w.write(b)
	w.mustClose()
	g.account("n3wpass\n", "passwd", "--native-kdf", "8192,1,1", "--password-stdin", "bea")
	checkWorlds(t, g, demos[1], "online", "1/1000")

	said := g.mustGet("/metrics") + g.mustGet("/debug/pprof/goroutine?debug=1")
	if _, vars, err := g.get("/debug/vars"); err == nil {
		said += vars
	}
	g.stop()
	said = strings.ToLower(said + g.stderr.String() + g.stdout.String())
	for what, texts := range secrets {
		for _, text := range texts {
			if strings.Contains(said, text) {
				t.Errorf("the %s is said: %s", what, grep(said, text))
			}
		}
	}
	// Six digits may turn up in a figure; as a word of its own they would be a code.
	for _, quoted := range []string{"=" + code + " ", "=" + code + "\n", `"` + code + `"`} {
		if strings.Contains(g.stderr.String(), quoted) {
			t.Errorf("the code is said: %s", grep(g.stderr.String(), quoted))
		}
	}
	for _, word := range []string{"ana", "logged-in", "refused"} {
		if !strings.Contains(said, word) {
			t.Errorf("the log does not even say %q", word)
		}
	}
}
