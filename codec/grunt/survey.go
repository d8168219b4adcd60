package grunt

import (
	"encoding/binary"
	"math"

	"gatepass/codec"
)

// surveyHead is the length of a SURVEY_RESULT without its data.
const surveyHead = 1 + 4 + 1 + 2

// SurveyResult is a client's answer to a survey.
type SurveyResult struct {
	// ID is the survey id of the proof reply.
	ID uint32
	// Error is not 0 if the client could not run the survey. One server then omits length and
	// data; here they always follow, as in the published layout.
	Error uint8
	// Data is compressed by zlib. After parsing it aliases the input buffer.
	Data []byte
}

// ParseSurveyResult reads a SURVEY_RESULT with at most limit bytes of data.
func ParseSurveyResult(b []byte, limit uint16) (SurveyResult, int, error) {
	if err := expect(b, opSurveyResult); err != nil {
		return SurveyResult{}, 0, err
	}
	c := codec.NewCursor(b)
	c.U8()
	s := SurveyResult{ID: c.U32(), Error: c.U8()}
	size := c.U16()
	if size > limit {
		return SurveyResult{}, 0, badSurveySize
	}
	s.Data = c.Bytes(int(size))
	if c.Short() {
		return SurveyResult{}, 0, codec.ErrShort
	}
	return s, c.Offset(), nil
}

// AppendSurveyResult writes a SURVEY_RESULT. It returns ErrChunk if the data is too long for
// its size field.
func AppendSurveyResult(dst []byte, s *SurveyResult) ([]byte, error) {
	if len(s.Data) > math.MaxUint16 {
		return dst, ErrChunk
	}
	dst = append(dst, opSurveyResult)
	dst = binary.LittleEndian.AppendUint32(dst, s.ID)
	dst = append(dst, s.Error)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(s.Data)))
	return append(dst, s.Data...), nil
}
