package instrument

// The names of the gauges that follow from the meter's totals.
const (
	PriceCoverage       = "treq.llm.price_coverage"
	FirstTokenCoverage  = "treq.llm.first_token_coverage"
	StreamUsageCoverage = "treq.llm.stream_usage_coverage"
	ScoreCoverage       = "treq.retrieval.score_coverage"
)

func derivedTable() []Definition {
	table := []Definition{
		{Name: PriceCoverage, Description: "Share of all tokens whose cost is known."},
		{Name: FirstTokenCoverage, Description: "Share of streamed model calls that told the time to the first token."},
		{Name: StreamUsageCoverage, Description: "Share of streamed model calls with an end that told their usage."},
		{Name: ScoreCoverage, Description: "Share of searches that may have found something whose similarity is known."},
	}
	for i := range table {
		table[i].Kind, table[i].Unit, table[i].Scope = DerivedGauge, "1", DerivedScope
		table[i].Attributes = []string{AttrService}
	}
	return table
}
