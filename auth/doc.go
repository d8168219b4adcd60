// Package auth decides whether a client is the account or device that it claims to be. It has
// proofs: pure functions of what both sides sent and of what is stored. They do no I/O, use no
// clock (callers pass times in) and do not know accounts. The packages below it prove
// passwords and devices, and derive keys:
//
//	auth/srp6         passwords, as grunt clients prove them
//	auth/srp6a        passwords in the native protocol
//	auth/devicetoken  remembered devices in the native protocol
//	auth/keyschedule  every key of the native protocol
//
// This package has the second factors, the made-up accounts that hide which names exist, and
// the pool that does the arithmetic outside of the logic goroutine.
//
//	second factor         client sends                        file
//	PIN pad               H(salts, places of the digits)      pin.go
//	authenticator (TOTP)  the code, or the code as a PIN      totp.go
//	PIN, native           the PIN, sealed                     SamePIN
//
// A caller that asked for a factor must require it: check the flags that it sent, never those
// in the client's answer.
//
// # The pool
//
// Making an Ephemeral or verifying a proof takes microseconds; the native jobs take most of a
// millisecond. That is a thousand times and more what one message may cost the logic
// goroutine. So the logic submits plain values to a Pool and gets plain values back:
//
//	pool, err := auth.NewPool(auth.Options{Deliver: func(rs []auth.Result) { inbox.PushAll(rs) }})
//	taken := pool.Submit(jobs)   // any goroutine, never blocks; jobs[taken:] are refused
//	...
//	pool.Close()                 // returns after all results are delivered
//
// Results come in any order; Tag says which job a result belongs to. Native jobs have a
// separate queue, so other jobs wait for at most one of them. The pool owns a job's
// NativeExchange until it comes back in the result.
//
// All functions here may be called from any goroutine unless their comment says otherwise.
// Comparisons of secrets take the same time for all values.
package auth
