// Package wire is the vocabulary of the bus: the subjects, the names of the buckets, and
// the JSON of every message, with the largest size of each. docs/bus-protocol.md and docs/bus-keys.md show
// every subject and payload with an example, and a test decodes the examples.
//
//	DecodeX(payload) (X, error)    refuses what is too large or not as documented
//	EncodeX(x) []byte              for messages that are sent now and then
//	AppendX(buf, x) []byte         for messages that are sent often
//
// All functions are pure and may be called from any goroutine. What the messages mean is
// decided in package worlds; who may send them is decided in package credentials.
package wire
