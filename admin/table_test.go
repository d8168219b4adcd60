package admin

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"gatepass/accounts"
	"gatepass/codec"
	"gatepass/storage"
)

// Every command says who may give it and what the audit log calls it, and no two share
// a name.
func TestCommands_HavePermissionAndAuditName(t *testing.T) {
	names, audits := make(map[string]bool), make(map[string]bool)
	form := regexp.MustCompile(`^[a-z]+\.[a-z-]+$`)
	for _, c := range Commands() {
		if !form.MatchString(c.Name) || names[c.Name] {
			t.Errorf("%q is no name for a command, or that of another", c.Name)
		}
		if c.May == 0 || c.May >= permissionEnd || c.May.String() == "none" {
			t.Errorf("%s: nobody can tell who may give it", c.Name)
		}
		if c.Audit == "" || audits[c.Audit] {
			t.Errorf("%s: %q is no name in the audit log, or that of another", c.Name, c.Audit)
		}
		if c.Changes && c.May == PermissionRead && c.Name != (batch{}).info().Name {
			t.Errorf("%s changes something, and who may read may give it", c.Name)
		}
		names[c.Name], audits[c.Audit] = true, true
	}
	if len(names) < 15 {
		t.Errorf("only %d commands", len(names))
	}
}

// docs/admin-commands.md has a row for each command, with its permission and audit name.
func TestCommands_AreInTheDocs(t *testing.T) {
	text, err := os.ReadFile("../docs/admin-commands.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range Commands() {
		if row := fmt.Sprintf("| `%s` | %s | %s | ", c.Name, c.May, c.Audit); !strings.Contains(string(text), row) {
			t.Errorf("docs/admin-commands.md has no row %q", row)
		}
	}
}

// The log of a change has the same word whether the server's Manager or the table says it.
func TestCommands_AuditNamesAreThoseOfChanges(t *testing.T) {
	for _, o := range operations() {
		op := storage.Op{Kind: o.opKind(), Account: &storage.Account{}}
		change, changes := accounts.ChangeBy(&op)
		if info := o.info(); info.Changes != changes || changes && info.Audit != change.Kind.String() {
			t.Errorf("%s: %+v, and the change is called %s", info.Name, info, change.Kind)
		}
	}
}

func TestPermissions_AllowAll(t *testing.T) {
	for p := PermissionRead; p < permissionEnd; p++ {
		if !AllowAll().Has(p) || Allow(p)|Allow(PermissionRead) != Allow(p, PermissionRead) || strings.Contains(p.String(), " ") {
			t.Errorf("permission %d", p)
		}
	}
	if AllowAll().Has(0) || Allow(PermissionBans).Has(PermissionAccounts) {
		t.Error("a permission is there that was not given")
	}
}

// followed is a login server that notes what it is asked for.
type followed struct{ done []string }

func (f *followed) End(account storage.Name, result codec.Result) {
	f.done = append(f.done, "end "+account.String()+" "+result.String())
}
func (f *followed) ReloadAddressBans() { f.done = append(f.done, "bans") }
func (f *followed) ReloadSalts()       { f.done = append(f.done, "salts") }

func TestFollow_DecidesWhoseSessionsEnd(t *testing.T) {
	end := func(r codec.Result) string { return "end A " + r.String() }
	plain := end(codec.ResultOK)
	for kind, want := range map[accounts.ChangeKind]string{
		accounts.ChangeAdd: "salts", accounts.ChangePassword: "salts, " + plain, accounts.ChangeFactors: plain, accounts.ChangeDelete: plain,
		accounts.ChangeDevices: plain, accounts.ChangeBan: end(codec.ResultBanned), accounts.ChangeUnban: "",
		accounts.ChangeBanAddress: "bans", accounts.ChangeUnbanAddress: "bans",
	} {
		var f followed
		Follow(&f)(accounts.Change{Kind: kind, Name: nameOf(t, "A")})
		if got := strings.Join(f.done, ", "); got != want {
			t.Errorf("%v: %q, want %q", kind, got, want)
		}
	}
	var f followed
	Follow(&f)(accounts.Change{Kind: accounts.ChangeBan, Name: nameOf(t, "A"), Ban: storage.Ban{Set: true, Until: testTime}})
	if got := strings.Join(f.done, ", "); got != end(codec.ResultSuspended) {
		t.Errorf("a ban that ends: %q", got)
	}
}
