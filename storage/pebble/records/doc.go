// Package records has the bytes of the store: keys and the records under them. It parses
// and appends; package pebble reads and writes them.
//
// The first byte of a key says what it is of; names are folded and not padded.
// Integers are little-endian. A text is a length byte and its bytes.
//
//	account        ┌───┬──────────────┐
//	               │'a'│ name   1..16 │
//	               └───┴──────────────┘
//	  record       ┌─────────┬───────┬─────────┬─ where flagged, in this order ──────────────────────────────┐
//	               │version 1│flags 1│created 8│ salt 32, verifier 32 │ ban │ PIN │ TOTP │ others │ characters │
//	               └─────────┴───────┴─────────┴─────────────────────────────────────────────────────────────┘
//	  flags        1 grunt, 2 ban, 4 PIN (text), 8 TOTP (text), 16 others, 32 characters
//	  ban          ┌───────┬───────┬─────────────┬─────────┐
//	               │since 8│until 8│reason (text)│by (text)│
//	               └───────┴───────┴─────────────┴─────────┘
//	  others       ┌───────┬──────────────────────────────────────┐
//	               │count 1│ count × name (text), size 2, bytes   │ names strictly rising
//	               └───────┴──────────────────────────────────────┘
//	  characters   ┌───────┬─────────────────────────────┐
//	               │count 1│ count × world 1, how many 1 │ worlds strictly rising, neither is 0
//	               └───────┴─────────────────────────────┘
//
//	login record   ┌───┬──────────────┐
//	               │'l'│ name   1..16 │
//	               └───┴──────────────┘
//	  record       ┌─────────┬────────────┬─────────────┬────────┬──────────────────┬─────────┐
//	               │version 1│last login 8│last failed 8│failed 4│address size 1    │ address │
//	               │         │            │             │        │(0, 4 or 16)      │         │
//	               └─────────┴────────────┴─────────────┴────────┴──────────────────┴─────────┘
//
//	device         ┌───┬─────────────┬──────────────┬─────────┐
//	               │'d'│size 1 (≤ 16)│ name   1..16 │family 16│ no family is zero
//	               └───┴─────────────┴──────────────┴─────────┘
//	  record       ┌─────────┬─────┬──────┬───────────┬─────────┬─────────┬───────────┬──────────────┬───────┬───────────┐
//	               │version 1│id 16│key 32│verifier 32│created 8│expires 8│last used 8│address size 1│address│name (text)│
//	               │         │     │      │           │         │         │           │(0, 4 or 16)  │       │           │
//	               └─────────┴─────┴──────┴───────────┴─────────┴─────────┴───────────┴──────────────┴───────┴───────────┘
//
//	address ban    ┌───┬─────────────────┬─────────┬──────┐
//	               │'b'│size 1 (4 or 16) │ address │bits 1│ host bits zero
//	               └───┴─────────────────┴─────────┴──────┘
//	  record       ┌─────────┬─────┐
//	               │version 1│ ban │
//	               └─────────┴─────┘
//
//	meta           'm' "format" ─▶ u32, 'm' "secret" ─▶ 32 bytes
//
// Unix seconds everywhere. A record of an unknown version is an error, and so is
// one that is shorter or longer than it says: see storage.ErrRecordVersion and storage.ErrCorrupt.
package records
