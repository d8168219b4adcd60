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
	// FormatAuto: decided by a look at the file.
	FormatAuto Format = iota
	// FormatCSV: separated by commas, semicolons or bars, first line names the columns.
	FormatCSV
	// FormatTSV: tab separated, as database clients print it.
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

// FormatOf guesses by the name of a file that is to be written.
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

// Choice is a rule of a file that may be given, or left to the look at it.
type Choice uint8

const (
	// Auto: decided by a look at the file.
	Auto Choice = iota
	// On: the file has it.
	On
	// Off: it has not.
	Off
)

// ParseChoice reads a flag of the given name. Its error is a FieldError.
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

// ParseDelimiter reads a --delimiter flag; 0 is decided by a look at the file. Its
// error is a FieldError.
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
