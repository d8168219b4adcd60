package world

// AppendEmptyCharEnum writes the body of an SMSG_CHAR_ENUM without characters,
// which is the same in every era: the count.
func AppendEmptyCharEnum(dst []byte) []byte { return append(dst, 0) }

// ParseCharEnum reads how many characters an SMSG_CHAR_ENUM lists. The characters
// themselves are the game's and are not looked at.
func ParseCharEnum(body []byte) (count int, err error) {
	if len(body) == 0 || body[0] == 0 && len(body) > 1 {
		return 0, badCharEnum
	}
	return int(body[0]), nil
}
