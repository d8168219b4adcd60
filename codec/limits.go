package codec

// The limits of messages, each with its reason. Limits of queues and connections are in
// server/limits.go and logic/limits.go.
const (
	// MaxName is the longest account name in bytes. Clients of the grunt
	// protocol send at most 16 characters, and only ASCII names are accepted.
	MaxName = 16
	// MaxToken is the longest authenticator token in bytes, from the grunt protocol (7.1).
	MaxToken = 16
)
