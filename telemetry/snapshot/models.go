package snapshot

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/sdk/metric/metricdata"

	"treq/telemetry"
	"treq/telemetry/instrument"
)

// Models is the document of GET /monitoring/models: what each model did since the
// totals began, from one collection.
type Models struct {
	Timestamp string `json:"timestamp"` // RFC 3339, UTC
	// PricesVersion and PricesDate name the price book in force.
	PricesVersion string `json:"prices_version"`
	PricesDate    string `json:"prices_date"`
	// Currency is what the amounts named cost are in, at UnitsPerUSD of it for a dollar.
	Currency    string     `json:"currency"`
	UnitsPerUSD float64    `json:"units_per_usd_ratio"`
	Total       ModelsSum  `json:"total"`
	Models      []ModelRow `json:"models"` // the dearest first, then the busiest
}

// ModelsSum is over all models.
type ModelsSum struct {
	LLMCalls       int64        `json:"llm_calls"`
	EmbeddingCalls int64        `json:"embedding_calls"`
	RerankCalls    int64        `json:"rerank_calls"`
	Tokens         int64        `json:"tokens"`
	CostUSD        USD          `json:"cost_usd"`
	Cost           Amount       `json:"cost"`
	UnpricedTokens int64        `json:"unpriced_tokens"`
	PriceCoverage  *Thousandths `json:"price_coverage_ratio"`
}

// ModelRow is one model in one use. What nobody told is null.
type ModelRow struct {
	Model     string   `json:"model"` // "" where calls named none
	Kind      string   `json:"kind"`  // llm, embedding, rerank
	Providers []string `json:"providers"`
	Family    string   `json:"family"`
	Calls     int64    `json:"calls"`
	Errors    int64    `json:"errors"`
	// ShareOfCalls is of the calls of this kind.
	ShareOfCalls   *Thousandths `json:"share_of_calls_ratio"`
	Tokens         ModelTokens  `json:"tokens"`
	CostUSD        USD          `json:"cost_usd"`
	Cost           Amount       `json:"cost"`
	ReportedUSD    USD          `json:"cost_reported_usd"` // the part of it that spans told
	UnpricedTokens int64        `json:"unpriced_tokens"`
	PriceCoverage  *Thousandths `json:"price_coverage_ratio"` // of its tokens
	Latency        Latency      `json:"latency"`
	FirstToken     Latency      `json:"time_to_first_token"`
	Streams        ModelStreams `json:"streams"`
}

// ModelTokens are tokens by disjoint kinds. Those of embedding models and
// rerankers are all Input.
type ModelTokens struct {
	Input      int64 `json:"input"`
	CacheRead  int64 `json:"cache_read"`
	CacheWrite int64 `json:"cache_write"`
	Output     int64 `json:"output"`
	Reasoning  int64 `json:"reasoning"`
	Unsplit    int64 `json:"unsplit"`
	Total      int64 `json:"total"`
}

// Latency tells times; see quantile for what the percentiles are.
type Latency struct {
	Samples int64       `json:"samples"`
	Average *Hundredths `json:"avg_ms"`
	P50     *Hundredths `json:"p50_ms"`
	P95     *Hundredths `json:"p95_ms"`
	P99     *Hundredths `json:"p99_ms"`
}

// ModelStreams counts streamed calls by how they ended.
type ModelStreams struct {
	Completed    int64 `json:"completed"`
	Aborted      int64 `json:"aborted"`
	UsageMissing int64 `json:"usage_missing"`
	// FirstTokenCoverage is the share that told the time to the first token.
	FirstTokenCoverage *Thousandths `json:"first_token_coverage_ratio"`
}

// ModelsQuery narrows and completes the document.
type ModelsQuery struct {
	Service string // "" is all
	// PricesVersion, PricesDate, Currency and UnitsPerUSD stand in the document.
	PricesVersion string
	PricesDate    time.Time
	Currency      string
	UnitsPerUSD   float64
}

// The kinds of use.
const (
	kindLLM       = "llm"
	kindEmbedding = "embedding"
	kindRerank    = "rerank"
)

// Models makes the document.
func (s *Snapshot) Models(q ModelsQuery, now time.Time) Models {
	t := table{rows: map[rowKey]*row{}, service: q.Service}
	for _, scope := range s.scopes {
		if scope.Scope.Name == instrument.MeterScope {
			for i := range scope.Metrics {
				t.read(&scope.Metrics[i])
			}
		}
	}
	d := Models{
		Timestamp: now.UTC().Format(time.RFC3339), PricesVersion: q.PricesVersion, PricesDate: q.PricesDate.Format(time.DateOnly),
		Currency: q.Currency, UnitsPerUSD: q.UnitsPerUSD, Models: []ModelRow{},
	}
	calls := map[string]int64{}
	for _, key := range slices.SortedFunc(maps.Keys(t.rows), rowKey.compare) {
		r := t.rows[key].finish(q.UnitsPerUSD)
		calls[r.Kind] += r.Calls
		more(&d.Total.Tokens, r.Tokens.Total)
		more(&d.Total.CostUSD, r.CostUSD)
		more(&d.Total.UnpricedTokens, r.UnpricedTokens)
		d.Models = append(d.Models, r)
	}
	for i := range d.Models {
		d.Models[i].ShareOfCalls = known[Thousandths](float64(d.Models[i].Calls), calls[d.Models[i].Kind])
	}
	d.Total.LLMCalls, d.Total.EmbeddingCalls, d.Total.RerankCalls = calls[kindLLM], calls[kindEmbedding], calls[kindRerank]
	d.Total.Cost = d.Total.CostUSD.in(q.UnitsPerUSD)
	d.Total.PriceCoverage = known[Thousandths](float64(d.Total.Tokens-d.Total.UnpricedTokens), d.Total.Tokens)
	slices.SortStableFunc(d.Models, func(a, b ModelRow) int {
		return cmp.Or(cmp.Compare(b.CostUSD, a.CostUSD), cmp.Compare(b.Calls, a.Calls))
	})
	return d
}

type rowKey struct{ kind, model string }

func (k rowKey) compare(o rowKey) int {
	return cmp.Or(cmp.Compare(k.kind, o.kind), cmp.Compare(k.model, o.model))
}

// row is a row in the making.
type row struct {
	ModelRow
	latency, first distribution
	streams, timed int64
}

type table struct {
	rows    map[rowKey]*row
	service string
}

// at gives the row of a series; kind "" is that of its operation.
func (t *table) at(kind string, of labels) *row {
	if kind == "" {
		switch of.get(instrument.AttrOperation) {
		case instrument.OperationEmbeddings:
			kind = kindEmbedding
		case instrument.OperationRerank:
			kind = kindRerank
		default:
			kind = kindLLM
		}
	}
	key := rowKey{kind, of.get(instrument.AttrResponseModel)}
	r := t.rows[key]
	if r == nil {
		r = &row{ModelRow: ModelRow{Model: key.model, Kind: kind, Providers: []string{}}}
		t.rows[key] = r
	}
	if family := of.get(instrument.AttrFamily); family != "" {
		r.Family = family
	}
	if p := of.get(instrument.AttrProvider); p != "" && !slices.Contains(r.Providers, p) {
		r.Providers = append(r.Providers, p)
		slices.Sort(r.Providers)
	}
	return r
}

func (t *table) ours(set *attribute.Set) (labels, bool) {
	l := labels{set}
	return l, t.service == "" || l.get(instrument.AttrService) == t.service
}

// counts say what one series of a counter adds to its row.
var counts = map[string]func(t *table, of labels, n int64){
	instrument.LLMUntimed:        func(t *table, of labels, n int64) { t.at("", of).calls(of, n) },
	instrument.LLMTokens:         func(t *table, of labels, n int64) { t.at(kindLLM, of).tokens(of, n) },
	instrument.EmbeddingTokens:   func(t *table, of labels, n int64) { more(&t.at(kindEmbedding, of).Tokens.Input, n) },
	instrument.RerankTokens:      func(t *table, of labels, n int64) { more(&t.at(kindRerank, of).Tokens.Input, n) },
	instrument.LLMUnpricedTokens: func(t *table, of labels, n int64) { more(&t.at("", of).UnpricedTokens, n) },
	instrument.LLMCost: func(t *table, of labels, n int64) {
		r := t.at("", of)
		more(&r.CostUSD, USD(n))
		if of.get(instrument.AttrCostSource) == telemetry.ReportedCost.String() {
			more(&r.ReportedUSD, USD(n))
		}
	},
	instrument.LLMTimedStreams: func(t *table, of labels, n int64) { t.at(kindLLM, of).timed += n },
	instrument.LLMStreams: func(t *table, of labels, n int64) {
		r := t.at(kindLLM, of)
		more(&r.streams, n)
		switch of.get(instrument.AttrStream) {
		case telemetry.StreamCompleted.String():
			more(&r.Streams.Completed, n)
		case telemetry.StreamAborted.String():
			more(&r.Streams.Aborted, n)
		case telemetry.StreamUsageMissing.String():
			more(&r.Streams.UsageMissing, n)
		}
	},
}

func (t *table) read(m *metricdata.Metrics) {
	switch data := m.Data.(type) {
	case metricdata.Sum[int64]:
		add := counts[m.Name]
		for i := range data.DataPoints {
			if of, ours := t.ours(&data.DataPoints[i].Attributes); ours && add != nil {
				add(t, of, data.DataPoints[i].Value)
			}
		}
	case metricdata.Histogram[float64]:
		for i := range data.DataPoints {
			p := &data.DataPoints[i]
			of, ours := t.ours(&p.Attributes)
			switch {
			case !ours:
			case m.Name == instrument.OperationDuration:
				r := t.at("", of)
				r.calls(of, int64(p.Count))
				r.latency.add(p)
			case m.Name == instrument.TimeToFirstToken:
				t.at(kindLLM, of).first.add(p)
			}
		}
	}
}

func (r *row) calls(of labels, n int64) {
	more(&r.Calls, n)
	if of.get(instrument.AttrErrorType) != "" {
		more(&r.Errors, n)
	}
}

func (r *row) tokens(of labels, n int64) {
	t := &r.Tokens
	switch of.get(instrument.AttrTokenKind) {
	case "input":
		more(&t.Input, n)
	case "cache_read":
		more(&t.CacheRead, n)
	case "cache_write":
		more(&t.CacheWrite, n)
	case "output":
		more(&t.Output, n)
	case "reasoning":
		more(&t.Reasoning, n)
	default:
		more(&t.Unsplit, n)
	}
}

func (r *row) finish(unitsPerUSD float64) ModelRow {
	t := &r.Tokens
	t.Total = telemetry.Tokens{
		Input: t.Input, CacheRead: t.CacheRead, CacheWrite: t.CacheWrite,
		Output: t.Output, Reasoning: t.Reasoning, Unsplit: t.Unsplit,
	}.Total()
	r.Cost = r.CostUSD.in(unitsPerUSD)
	r.PriceCoverage = known[Thousandths](float64(t.Total-r.UnpricedTokens), t.Total)
	r.Latency, r.FirstToken = r.latency.latency(), r.first.latency()
	r.Streams.FirstTokenCoverage = known[Thousandths](float64(r.timed), r.streams)
	return r.ModelRow
}

// known gives a ratio, nil where there is nothing to divide by.
func known[T ~float64](part float64, whole int64) *T {
	if whole == 0 {
		return nil
	}
	v := T(math.Max(0, ratio(part, whole)))
	return &v
}
