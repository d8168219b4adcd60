package world

// AppendEmptyCharEnum writes the body of an SMSG_CHAR_ENUM without characters: a count of 0,
// the same in every era.
func AppendEmptyCharEnum(dst []byte) []byte { return append(dst, 0) }

// ParseCharEnum returns the number of characters that an SMSG_CHAR_ENUM lists. It does not
// read the characters, which belong to the game.
func ParseCharEnum(body []byte) (count int, err error) {
	if len(body) == 0 || body[0] == 0 && len(body) > 1 {
		return 0, badCharEnum
	}
	return int(body[0]), nil
}
