package credentials

import (
	"slices"
	"testing"

	"gatepass/worlds"
)

// A kind that the table does not know, or a name that would be a wildcard, gets
// nothing.
func TestPermissions_UnknownKindMayNothing(t *testing.T) {
	t.Parallel()
	p := PermissionsFor("stranger.a")
	if len(p.Pub.Allow) != 0 || !slices.Equal(p.Pub.Deny, []string{">"}) || !slices.Equal(p.Sub.Allow, []string{"_INBOX.stranger.a.>"}) {
		t.Errorf("it may %+v", p)
	}
	a := mustAuthority(t)
	for _, node := range []worlds.Node{"world.*", "world.>", "world.7.8", "login.a.b", "login.", "stranger.a", "setup", "login.{id}"} {
		if err := a.AddNode(node, t.TempDir()+"/x"); err == nil {
			t.Errorf("%s was added", node)
		}
	}
}
