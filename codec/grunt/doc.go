// Package grunt decodes the grunt login protocol to codec.Message and encodes codec.Reply, for
// clients from 1.1 to 3.3.5a.
//
// It has the wire format: layouts by client build, opcodes, result codes, sizes and the order
// of messages. It does not know accounts, passwords, worlds or sockets, and does not check
// proofs. A reactor opens one Session per connection and calls it from its own goroutine only.
// All other functions are pure and may be called from any goroutine. The load client and the
// tests use the client functions (ParseXReply, AppendChallenge, AppendProof …).
//
//	s := grunt.New(grunt.Options{}).Open()
//	for {
//		n, err := s.Decode(unread, &m)
//		switch v := err.(type) {
//		case nil:               // m goes to the logic
//			unread = unread[n:]
//		case *codec.Violation:  // answered, then closed
//			return s.AppendViolation(out, v)
//		default:                // codec.ErrShort: wait for more bytes
//			return
//		}
//	}
//
// # Bytes
//
// A message is one opcode byte and a body without a general length. The layout depends on the
// opcode, the client's build and flags in the body. Integers are little-endian. Big numbers
// and digests have the sizes shown. The number in a box is its size in bytes. From a client:
//
//	LOGON_CHALLENGE 00, RECONNECT_CHALLENGE 02            size = 30 + k, k = 1 … 16
//	┌────┬─────────┬──────┬──────┬───────────────┬───────┬──────────┬────────┬────────┬────────┬────┬─────┬──────┐
//	│ op │ version │ size │ game │ major.min.pat │ build │ platform │ system │ locale │ tz     │ IP │ k   │ name │
//	│ 1  │ 1       │ 2    │ 4    │ 3             │ 2     │ 4        │ 4      │ 4      │ 4 (i32)│ 4  │ 1   │ k    │
//	└────┴─────────┴──────┴──────┴───────────────┴───────┴──────────┴────────┴────────┴────────┴────┴─────┴──────┘
//
//	LOGON_PROOF 01
//	┌────┬────┬────┬──────────┬───────┬────────────┬───────┬──────────────────────┬─────────────┬──────────────┐
//	│ op │ A  │ M1 │ crc hash │ count │ telemetry  │ flags │ PIN salt, PIN hash   │ matrix      │ k, token     │
//	│ 1  │ 32 │ 20 │ 20       │ 1     │ 30 × count │ 1     │ 16, 20               │ 20          │ 1, k ≤ 16    │
//	└────┴────┴────┴──────────┴───────┴────────────┴ v3 on ┴ flag 01 ─────────────┴ 02, v5 on ──┴ 04, v8 ──────┘
//
//	RECONNECT_PROOF 03          REALM_LIST 10   XFER_ACCEPT 32   XFER_RESUME 33   XFER_CANCEL 34
//	┌────┬────┬────┬────┬───┐   ┌────┬─────┐    ┌────┐           ┌────┬────────┐  ┌────┐
//	│ op │ R1 │ R2 │ R3 │ 0 │   │ op │ any │    │ op │           │ op │ offset │  │ op │
//	│ 1  │ 16 │ 20 │ 20 │ 1 │   │ 1  │ 4   │    │ 1  │           │ 1  │ 8      │  │ 1  │
//	└────┴────┴────┴────┴───┘   └────┴─────┘    └────┘           └────┴────────┘  └────┘
//
//	SURVEY_RESULT 04
//	┌────┬────┬───────┬───┬──────┐
//	│ op │ id │ error │ k │ zlib │
//	│ 1  │ 4  │ 1     │ 2 │ k    │
//	└────┴────┴───────┴───┴──────┘
//
// From the server:
//
//	LOGON_CHALLENGE 00, a refusal ends after its result
//	┌────┬───┬────────┬────┬───┬───┬────┬────┬──────┬──────────┬───────┬────────────────┬───────────────────────────┬───────┐
//	│ op │ 0 │ result │ B  │ 1 │ g │ 32 │ N  │ salt │ crc salt │ flags │ PIN seed, salt │ w, h, digits, cells, seed │ 1     │
//	│ 1  │ 1 │ 1      │ 32 │ 1 │ 1 │ 1  │ 32 │ 32   │ 16       │ 1     │ 4, 16          │ 1, 1, 1, 1, 8             │ 1     │
//	└────┴───┴────────┴────┴───┴───┴────┴────┴──────┴──────────┴ v3 on ┴ flag 01 ───────┴ 02, v5 on ────────────────┴ 04, v8┘
//
//	LOGON_PROOF 01, accepted                                       refused
//	┌────┬───┬────┬───────────────┬───────────┬─────────────┐      ┌────┬────────┬──────┐
//	│ op │ 0 │ M2 │ account flags │ survey id │ login flags │      │ op │ result │ 0003 │
//	│ 1  │ 1 │ 20 │ 4 (v8)        │ 4         │ 2 (v5 on)   │      │ 1  │ 1      │ 2 (v5 on, but not after 09 and 0A)
//	└────┴───┴────┴───────────────┴───────────┴─────────────┘      └────┴────────┴──────┘
//
//	RECONNECT_CHALLENGE 02, a refusal ends after its result        RECONNECT_PROOF 03
//	┌────┬────────┬──────┬───────────────┐                         ┌────┬────────┬──────┐
//	│ op │ result │ data │ checksum salt │                         │ op │ result │ 0000 │
//	│ 1  │ 1      │ 16   │ 16            │                         │ 1  │ 1      │ 2 (v5 on)
//	└────┴────────┴──────┴───────────────┘                         └────┴────────┴──────┘
//
//	REALM_LIST 10, size counts what follows it
//	┌────┬──────┬───┬────────────────────┬─ realm × count ─────────────────────────────────┬────────┐
//	│ op │ size │ 0 │ count              │ type, [locked], flags, name, address,           │ footer │
//	│ 1  │ 2    │ 4 │ 1, from v6 on 2    │ population, characters, category, id, [version] │ 2      │
//	└────┴──────┴───┴────────────────────┴─────────────────────────────────────────────────┴────────┘
//	  v2, v3: type 4, no locked; v5 on: type 1, locked 1
//	  flags 1, name and address zero-ended, population f32, characters, category, id 1 each
//	  version 3 + build 2 at the very end: v8, when flags has 04
//
//	XFER_INITIATE 30                        XFER_DATA 31
//	┌────┬───┬─────────┬──────┬─────┐       ┌────┬───┬──────┐
//	│ op │ 5 │ "Patch" │ size │ MD5 │       │ op │ k │ data │
//	│ 1  │ 1 │ 5       │ 8    │ 16  │       │ 1  │ 2 │ k    │
//	└────┴───┴─────────┴──────┴─────┘       └────┴───┴──────┘
//
// A text tag of four letters is sent as a little-endian u32, so it is reversed: "enUS" is 53
// 55 6e 65. codec.Tag has tags in reading order.
//
// # Which message when
//
//	start ─00─▶ proof ─01─────────────┐             ┌─ 10, 04, 32, 33, 34
//	  │                               ├──▶ proven ──┘
//	  └───02─▶ reconnect proof ─03────┘
//	any ─ a file is offered ─▶ offered ─32, 33─▶ sending: 34, at any time
//	                           └─ 34
//	any ─ refused ─▶ over: nothing, unless a file is offered at once, after 0A
//
// A message that the phase does not accept is a violation at its opcode, so the server never
// waits for the rest of an invalid message.
//
// Where known servers disagree, the line that implements the choice has the reason.
// quirks_test.go has one test for each choice.
package grunt
