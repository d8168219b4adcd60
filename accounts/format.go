package accounts

import (
	"fmt"
	"path/filepath"
	"strings"

	"gatepass/storage"
)

// Format is the format of a file of accounts.
type Format uint8

const (
	// FormatAuto: detected from the file.
	FormatAuto Format = iota
	// FormatCSV: separated by commas, semicolons or bars. The first line names the
	// columns.
	FormatCSV
	// FormatTSV: separated by tabs, as database clients print it.
	FormatTSV
	// FormatNDJSON: one JSON object a line.
	FormatNDJSON
	// FormatJSON: an array of JSON objects.
	FormatJSON
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
	case "json":
		return FormatJSON, nil
	}
	return 0, &FieldError{Field: "format", Problem: fmt.Sprintf("%q is not known; give auto, csv, tsv, ndjson or json", word)}
}

// FormatOf returns the format for the name of an output file.
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

// Choice is a property of a file that the operator sets or that is detected.
type Choice uint8

const (
	// Auto: detected from the file.
	Auto Choice = iota
	// On: the file has the property.
	On
	// Off: the file does not have the property.
	Off
)

// ParseChoice parses the flag of the given name. Its error is a FieldError.
func ParseChoice(flag, word string) (Choice, error) {
	switch strings.ToLower(word) {
	case "auto", "":
		return Auto, nil
	case "on", "yes", "true":
		return On, nil
	case "off", "no", "false":
		return Off, nil
	}
	return 0, &FieldError{Field: flag, Problem: fmt.Sprintf("%q is not known; give auto, on or off", word)}
}

// ParseDelimiter parses a --delimiter flag. 0 means that it is detected. Its error is a
// FieldError.
func ParseDelimiter(word string) (byte, error) {
	switch strings.ToLower(word) {
	case "auto", "":
		return 0, nil
	case "comma", ",":
		return ',', nil
	case "semicolon", ";":
		return ';', nil
	case "tab", "\t", `\t`:
		return '\t', nil
	case "bar", "|":
		return '|', nil
	}
	return 0, &FieldError{Field: "delimiter", Problem: fmt.Sprintf("%q is not known; give auto, comma, semicolon, tab or bar", word)}
}

// Columns selects how an export writes grunt verifiers.
type Columns uint8

const (
	// ColumnsTrinity: salt and verifier, each 32 bytes in wire order as hex.
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

// Protocol names in flags and summaries.
const (
	// ProtocolGrunt is the protocol of the existing clients.
	ProtocolGrunt = "grunt"
	// ProtocolNative is gatepass's own.
	ProtocolNative = storage.ProtocolNative
)

// ParseProtocols parses a comma-separated --protocols flag: the protocols for which
// passwords are turned into verifiers. Its error is a FieldError.
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
