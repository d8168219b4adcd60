package accounts

import (
	"encoding/base32"
	"fmt"
	"strings"
	"testing"
)

// families returns the databases of the four server families, with the columns that
// matter.
func families() []family {
	ban := []string{"bandate", "unbandate", "bannedby", "banreason", "active"}
	trinity := append([]string{"username", "salt", "verifier", "totp_secret", "email", "joindate", "last_login", "last_ip", "failed_logins", "locked", "lock_country", "mutetime"}, ban...)
	mangos := []string{"username", "s", "v", "email", "joindate", "failed_logins", "locked", "mutetime"}
	trinityBans := "LEFT JOIN account_banned b ON b.id = a.id"
	return []family{
		{
			name: "CMaNGOS", database: "realmd", bans: "LEFT JOIN account_banned b ON b.account_id = a.id",
			columns: append(append(mangos, "token", "gmlevel", "lockedIp"), "banned_at", "expires_at", "banned_by", "reason", "active"),
			schema: `CREATE TABLE account (id int unsigned PRIMARY KEY, username varchar(32) NOT NULL, gmlevel tinyint unsigned NOT NULL DEFAULT 0, sessionkey longtext,
  v longtext, s longtext, email text, joindate datetime NOT NULL, lockedIp varchar(30) NOT NULL DEFAULT '0.0.0.0', failed_logins int unsigned NOT NULL DEFAULT 0,
  locked tinyint unsigned NOT NULL DEFAULT 0, mutetime bigint unsigned NOT NULL DEFAULT 0, locale varchar(4) NOT NULL DEFAULT '', os varchar(4) NOT NULL DEFAULT '0',
  platform varchar(4) NOT NULL DEFAULT '0', token text, flags int unsigned NOT NULL DEFAULT 0, expansion tinyint unsigned NOT NULL DEFAULT 0);
CREATE TABLE account_banned (id int unsigned AUTO_INCREMENT PRIMARY KEY, account_id int unsigned, banned_at bigint, expires_at bigint, banned_by varchar(50),
  unbanned_at bigint NOT NULL DEFAULT 0, unbanned_by varchar(50), reason varchar(255), active tinyint);` + "\n",
			insert: func(p *player) string {
				s, v := mangosNumbers(p)
				return fmt.Sprintf("INSERT INTO account (id, username, v, s, email, joindate, token, gmlevel, locked, lockedIp) VALUES (%d, '%s', '%s', '%s', %s, '2015-02-03 04:05:06', %s, %d, %d, '10.0.0.1');\n",
					p.id, p.name, v, s, email(p), orNull(tokenOf(p)), p.id%2, p.id/8) + banRow(p, "account_banned (account_id, banned_at, expires_at, banned_by, reason, active)")
			},
		},
		{
			name: "VMaNGOS", database: "realmd", bans: trinityBans,
			columns: append(append(mangos, "security", "last_login", "last_ip"), ban...),
			schema: `CREATE TABLE account (id int unsigned PRIMARY KEY, username varchar(32) NOT NULL, sessionkey longtext, v longtext, s longtext, email text, email_verif tinyint NOT NULL DEFAULT 0,
  joindate timestamp NOT NULL DEFAULT current_timestamp(), last_ip varchar(30) NOT NULL DEFAULT '127.0.0.1', failed_logins int unsigned NOT NULL DEFAULT 0,
  locked tinyint unsigned NOT NULL DEFAULT 0, last_login timestamp NULL, current_realm int NOT NULL DEFAULT 0, mutetime bigint unsigned NOT NULL DEFAULT 0,
  locale tinyint unsigned NOT NULL DEFAULT 0, os varchar(4) NOT NULL DEFAULT '', platform varchar(4) NOT NULL DEFAULT '', security varchar(255) DEFAULT NULL, geolock_pin int NOT NULL DEFAULT 0);
CREATE TABLE account_banned (banid int unsigned AUTO_INCREMENT PRIMARY KEY, id int unsigned, bandate bigint, unbandate bigint, bannedby varchar(50), banreason varchar(255), active tinyint, realm tinyint NOT NULL DEFAULT 1);` + "\n",
			insert: func(p *player) string {
				s, v := mangosNumbers(p)
				security, locked := tokenOf(p), 0
				switch {
				case security != "":
					locked = 4
				case p.pin != "":
					security, locked = p.pin, 2
				}
				return fmt.Sprintf("INSERT INTO account (id, username, v, s, email, joindate, security, locked) VALUES (%d, '%s', '%s', '%s', %s, '2015-02-03 04:05:06', %s, %d);\n",
					p.id, p.name, v, s, email(p), orNull(security), locked) + banRow(p, "account_banned (id, bandate, unbandate, bannedby, banreason, active)")
			},
		},
		trinityFamily("TrinityCore", trinity, trinityBans), trinityFamily("AzerothCore", trinity, trinityBans),
	}
}

func trinityFamily(name string, columns []string, bans string) family {
	return family{
		name: name, database: "auth", bans: bans, columns: columns, binary: []string{"salt", "verifier", "totp_secret"},
		schema: `CREATE TABLE account (id int unsigned PRIMARY KEY, username varchar(32) NOT NULL, salt binary(32) NOT NULL, verifier binary(32) NOT NULL, session_key binary(40),
  totp_secret varbinary(128), email varchar(255) NOT NULL DEFAULT '', reg_mail varchar(255) NOT NULL DEFAULT '', joindate timestamp NOT NULL DEFAULT current_timestamp(),
  last_ip varchar(15) NOT NULL DEFAULT '127.0.0.1', failed_logins int unsigned NOT NULL DEFAULT 0, locked tinyint unsigned NOT NULL DEFAULT 0, lock_country varchar(2) NOT NULL DEFAULT '00',
  last_login timestamp NULL, mutetime bigint NOT NULL DEFAULT 0);
CREATE TABLE ip_banned (ip varchar(15), bandate int unsigned, unbandate int unsigned, bannedby varchar(50), banreason varchar(255));
INSERT INTO ip_banned VALUES ('192.0.2.1', 1700000000, 1700000000, 'gm', 'flood'), ('192.0.2.2', 1700000000, 4102444800, 'gm', NULL), ('192.0.2.3', 1690000000, 1690000600, 'gm', 'over');
CREATE TABLE account_banned (id int unsigned, bandate int unsigned, unbandate int unsigned, bannedby varchar(50), banreason varchar(255), active tinyint);` + "\n",
		insert: func(p *player) string {
			totp := "NULL"
			if p.totp != nil {
				totp = fmt.Sprintf("0x%x", p.totp)
			}
			return fmt.Sprintf("INSERT INTO account (id, username, salt, verifier, totp_secret, email, joindate) VALUES (%d, '%s', 0x%x, 0x%x, %s, COALESCE(%s, ''), '2015-02-03 04:05:06');\n",
				p.id, p.name, p.salt[:], p.verifier[:], totp, email(p)) + banRow(p, "account_banned (id, bandate, unbandate, bannedby, banreason, active)")
		},
	}
}

// mangosNumbers returns s and v as those servers store them: without leading zero
// bytes.
func mangosNumbers(p *player) (s, v string) {
	if p.password == "" {
		return "0", "0"
	}
	trim := func(digits string) string {
		for strings.HasPrefix(digits, "00") {
			digits = digits[2:]
		}
		return digits
	}
	return trim(mangosHex(p.salt)), trim(mangosHex(p.verifier))
}

func tokenOf(p *player) string {
	return strings.TrimRight(base32.StdEncoding.EncodeToString(p.totp), "=")
}

func orNull(text string) string {
	if text == "" {
		return "NULL"
	}
	return "'" + text + "'"
}

func email(p *player) string {
	if p.id%3 == 0 {
		return "NULL"
	}
	return "'a\\tb@example.org'"
}

func banRow(p *player, into string) string {
	if p.since == 0 {
		return ""
	}
	reason := strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(p.reason)
	if reason == "NULL" {
		return fmt.Sprintf("INSERT INTO %s VALUES (%d, %d, %d, 'GM \"x\"', NULL, %d);\n", into, p.id, p.since, p.until, p.active)
	}
	return fmt.Sprintf("INSERT INTO %s VALUES (%d, %d, %d, 'GM \"x\"', '%s', %d);\n", into, p.id, p.since, p.until, reason, p.active)
}

// wantPlayers imports a text and compares the store with the tables. file says what the
// text can contain: two families have no PIN, one has no TOTP …
func wantPlayers(t *testing.T, text, file string) {
	t.Helper()
	m := newTestManager(t)
	report, bad := mustImport(t, m, text, ImportOptions{})
	if len(bad) != 1 || bad[0].Account != "P23" || report.Added != 23 {
		t.Fatalf("%+v, %v", report, bad)
	}
	bans := !strings.HasSuffix(file, "Core.docs.tsv") // the docs import bans separately
	for _, p := range players()[:23] {
		a := mustShow(t, m, p.name)
		if !opens(a, p.password) {
			t.Errorf("%s: another password", p.name)
		}
		if bans && a.Ban != p.banned {
			t.Errorf("%s: ban %+v, want %+v", p.name, a.Ban, p.banned)
		}
		if string(a.TOTPSecret) != string(p.totp) {
			t.Errorf("%s: TOTP secret %x, want %x", p.name, a.TOTPSecret, p.totp)
		}
		if pin := p.pin; strings.HasPrefix(file, "VMaNGOS") && a.PIN != pin {
			t.Errorf("%s: PIN %q", p.name, a.PIN)
		}
		if a.Created != 1_422_936_306 {
			t.Errorf("%s: created %d", p.name, a.Created)
		}
	}
	if report.Left[leftEmail] != 15 && report.Left[leftEmail] != 16 || bans && report.Left[leftBanOver] != 2 && !strings.HasSuffix(file, "docs.tsv") {
		t.Errorf("left out: %v", report.Left)
	}
}
