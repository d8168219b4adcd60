package grunt

const (
	// MaxTransferChunk is how many bytes of a file go into one XFER_DATA. The
	// frame can hold 65535; 4096 is what clients have always been sent.
	MaxTransferChunk = 4096
	// DefaultMaxSurvey is the longest answer to a survey that is taken, in
	// compressed bytes. Clients send at most about 1000.
	DefaultMaxSurvey = 1024

	// maxProof is the longest proof without telemetry: all three factors and a
	// token of 16 bytes.
	maxProof = proofBase + 1 + 16 + 20 + 20 + 1 + 16
)
