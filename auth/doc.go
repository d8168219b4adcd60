// Package auth decides whether somebody is who they claim to be. It holds proofs: pure functions of what both sides
// said and what is stored, without I/O, without a clock (times are handed in) and without accounts. The packages
// within prove passwords and devices and draw keys:
//
//	auth/srp6         passwords, as grunt clients prove them
//	auth/srp6a        passwords in the native protocol
//	auth/devicetoken  remembered devices in the native protocol
//	auth/keyschedule  every key of the native protocol
//
// Here stand the second factors, the made-up accounts that hide which names exist, and the
// pool that does the arithmetic away from the logic goroutine.
//
//	second factor         client sends                        file
//	PIN pad               H(salts, places of the digits)      pin.go
//	authenticator (TOTP)  the code, or the code as a PIN      totp.go
//	PIN, native           the PIN, sealed                     SamePIN
//
// Whoever asked for a factor must insist on it: go by the flags that were sent, never by those that came back.
//
// # The pool
//
// Making an Ephemeral or verifying a proof takes microseconds, the native kinds most of a millisecond: a thousand
// times and more what a message may cost the logic goroutine. So it submits plain values to a Pool and gets plain values back:
//
//	pool, err := auth.NewPool(auth.Options{Deliver: func(rs []auth.Result) { inbox.PushAll(rs) }})
//	taken := pool.Submit(jobs)   // any goroutine, never blocks; jobs[taken:] were refused
//	...
//	pool.Close()                 // everything taken is delivered first
//
// Results come in no particular order; Tag tells whose they are. Native jobs wait apart from the others, so that these
// wait for one of them at most; their NativeExchange is lent to the pool and comes back with the result.
//
// All functions here may be called from any goroutine unless they say otherwise. Comparisons of secrets take the same
// time whatever they compare.
package auth
