package semconv

// ScoreOfLabel gives the score of an evaluation's label that says plainly whether
// it passed; false for any other.
func ScoreOfLabel(label []byte) (score float64, ok bool) {
	var buf [24]byte
	switch string(lowerN(buf[:], label)) {
	case "pass", "passed", "true", "yes", "correct", "positive", "good", "relevant", "thumbs_up", "up":
		return 1, true
	case "fail", "failed", "false", "no", "incorrect", "negative", "bad", "irrelevant", "thumbs_down", "down":
		return 0, true
	}
	return 0, false
}
