package logic

// tokenShare is how many sign-ins by token count as one by password: a password costs
// most of a millisecond of arithmetic, whoever asks for it, and a token a little.
const tokenShare = 10

// refuseTooOften refuses clients that sign in by the native protocol too often. A token
// counts a tenth of a password. Existing clients cost less and do not count.
func refuseTooOften(c *Core, s *session) (Verdict, endReason) {
	limit, most := &c.signIns, c.options.SignInsPerMinute
	switch s.method {
	case byNativePassword:
	case byToken:
		limit, most = &c.tokens, tokenShare*most
	default:
		return VerdictPass, 0
	}
	if limit.Take(s.peer, c.now, most) {
		return VerdictPass, 0
	}
	return VerdictRefused, endBusy
}
