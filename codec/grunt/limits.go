package grunt

const (
	// MaxTransferChunk is the maximum number of a file's bytes in one XFER_DATA. The frame can
	// hold 65535; servers have always sent 4096.
	MaxTransferChunk = 4096
	// DefaultMaxSurvey is the maximum length of an answer to a survey, in compressed bytes.
	// Clients send at most about 1000.
	DefaultMaxSurvey = 1024

	// maxProof is the longest proof without telemetry: all three factors and a
	// token of 16 bytes.
	maxProof = proofBase + 1 + 16 + 20 + 20 + 1 + 16
)
