package accounts

import (
	"fmt"
	"path/filepath"
	"strings"

	"gatepass/storage"
)

// Format is how a file of accounts is written.
type Format uint8

const (
	// FormatAuto: decided by the first bytes of the file.
	FormatAuto Format = iota
	// FormatCSV: comma separated, RFC 4180, first line names the columns.
	FormatCSV
	// FormatTSV: tab separated without quotes, as database clients print it.
	FormatTSV
	// FormatNDJSON: one JSON object a line.
	FormatNDJSON
)

// ParseFormat reads a --format flag. Its error is a FieldError.
func ParseFormat(word string) (Format, error) {
	switch strings.ToLower(word) {
	case "auto", "":
		return FormatAuto, nil
	case "csv":
		return FormatCSV, nil
	case "tsv":
		return FormatTSV, nil
	case "ndjson":
		return FormatNDJSON, nil
	}
	return 0, &FieldError{Field: "format", Problem: fmt.Sprintf("%q is not known; give auto, csv, tsv or ndjson", word)}
}

// FormatOf guesses by a file's name.
func FormatOf(path string) Format {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".csv":
		return FormatCSV
	case ".tsv", ".tab":
		return FormatTSV
	case ".ndjson", ".jsonl", ".json":
		return FormatNDJSON
	}
	return FormatAuto
}

// sniff guesses by the first line of a file. A header never begins with a brace.
func sniff(line []byte) Format {
	text := string(line)
	switch {
	case strings.HasPrefix(strings.TrimSpace(text), "{"):
		return FormatNDJSON
	case strings.Contains(text, "\t") && !strings.Contains(text, ","):
		return FormatTSV
	}
	return FormatCSV
}

// Columns is how an export writes grunt verifiers.
type Columns uint8

const (
	// ColumnsTrinity: salt and verifier, 32 bytes in wire order as hex.
	ColumnsTrinity Columns = iota
	// ColumnsMangos: s and v, big-endian hex numbers.
	ColumnsMangos
)

// ParseColumns reads a --columns flag. Its error is a FieldError.
func ParseColumns(word string) (Columns, error) {
	switch strings.ToLower(word) {
	case "trinity", "azerothcore":
		return ColumnsTrinity, nil
	case "mangos":
		return ColumnsMangos, nil
	}
	return 0, &FieldError{Field: "columns", Problem: fmt.Sprintf("%q is not known; give trinity or mangos", word)}
}

// Protocols, as flags and summaries name them.
const (
	// ProtocolGrunt is the protocol of the existing clients.
	ProtocolGrunt = "grunt"
	// ProtocolNative is gatepass's own.
	ProtocolNative = storage.ProtocolNative
)

// ParseProtocols reads a comma separated --protocols flag: for which protocols
// verifiers are made from passwords. Its error is a FieldError.
func ParseProtocols(list string) ([]string, error) {
	names := strings.Split(list, ",")
	for i, name := range names {
		names[i] = strings.ToLower(strings.TrimSpace(name))
		if names[i] != ProtocolGrunt && names[i] != ProtocolNative {
			return nil, &FieldError{Field: "protocols", Problem: fmt.Sprintf("%q is not known; give %s, %s or both", name, ProtocolGrunt, ProtocolNative)}
		}
	}
	return names, nil
}
