package understand

import "treq/telemetry"

// rejection is why a field's value was refused.
type rejection uint8

const (
	badTime rejection = iota
	reversedTimes
	badTokens
	badSimilarity
	notSimilarity
	badDuration
	badScore
	badContent
	badDocuments
	badCost
	rejectionCount
)

// rejectionNames are the values of the attribute reason, fixed words.
var rejectionNames = [rejectionCount]string{
	badTime:       "time",
	reversedTimes: "reversed_times",
	badTokens:     "tokens",
	badSimilarity: "similarity_range",
	notSimilarity: "not_similarity",
	badDuration:   "duration",
	badScore:      "feedback_score",
	badContent:    "content_budget",
	badDocuments:  "documents",
	badCost:       "cost",
}

// rejections counts refused values until they are told.
type rejections struct {
	n   [rejectionCount]int64
	any bool
}

func (r *rejections) count(why rejection) {
	r.n[why]++
	r.any = true
}

// tell tells a recorder what was counted and forgets it.
func (r *rejections) tell(rec telemetry.Recorder) {
	if !r.any {
		return
	}
	for why, n := range r.n {
		if n > 0 {
			rec.Rejected(rejectionNames[why], n)
		}
	}
	*r = rejections{}
}
