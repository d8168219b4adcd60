// Package auth decides whether somebody is who they claim to be. It holds proofs: pure functions of what both sides
// said and what is stored, without I/O, without a clock (times are handed in) and without accounts. Package
// auth/srp6 proves passwords; here stand the second factors, the check of client files, the made-up account that
// hides which names exist, and the pool that does the arithmetic away from the logic goroutine.
//
//	second factor         client sends                        file
//	PIN pad               H(salts, places of the digits)      pin.go
//	matrix card           HMAC over digits of some cells      matrix.go
//	authenticator (TOTP)  the code, or the code as a PIN      totp.go
//
// Whoever asked for a factor must insist on it: go by the flags that were sent, never by those that came back.
//
// # The pool
//
// Making an Ephemeral or verifying a proof takes microseconds, a thousand times what a message may cost the logic
// goroutine. So it submits plain values to a Pool and gets plain values back:
//
//	pool, err := auth.NewPool(auth.Options{Deliver: func(rs []auth.Result) { inbox.PushAll(rs) }})
//	taken := pool.Submit(jobs)   // any goroutine, never blocks; jobs[taken:] were refused
//	...
//	pool.Close()                 // everything taken is delivered first
//
// Results come in no particular order; Tag tells whose they are.
//
// All functions here may be called from any goroutine unless they say otherwise. Comparisons of secrets take the same
// time whatever they compare.
package auth
