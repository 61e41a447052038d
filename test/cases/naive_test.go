package cases

import (
	"cmp"
	"slices"

	"treq/telemetry"
	"treq/telemetry/semconv"
	"treq/telemetry/understand"
)

// tally is what counting comes to.
type tally struct {
	Chats, Calls, Failed, Tokens, ChatCalls, ChatTokens int64
	Searches, Found, Empty, Embeddings, Reranks, Tools  int64
}

// naive counts one finished trace that is one tree, straight from the sentences of
// docs/semantics.md, sections 3 and 4: every question is asked of every pair of
// spans anew. It shares nothing with the engine but the reading of a span.
type naive struct {
	spans    []understand.Span
	parent   map[int]int
	children map[int][]int
	usage    map[int]int64 // of spans that have one, own or given
	isCall   map[int]bool
	extra    map[int]bool // wrappers that are one more call
	twin     map[int]bool // another instrumentation's view of a call
}

// treeOf gives the counter of a trace; false if its spans are not one tree.
func treeOf(spans []understand.Span) (*naive, bool) {
	spans = slices.Clone(spans)
	slices.SortFunc(spans, func(a, b understand.Span) int {
		return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
	})
	n := &naive{
		spans: spans, parent: map[int]int{}, children: map[int][]int{}, usage: map[int]int64{},
		isCall: map[int]bool{}, extra: map[int]bool{}, twin: map[int]bool{},
	}
	roots := 0
	for i := range spans {
		n.parent[i] = slices.IndexFunc(spans, func(s understand.Span) bool { return s.ID == spans[i].Parent })
		switch {
		case spans[i].ID == 0:
			return nil, false
		case spans[i].Parent == 0:
			n.parent[i] = -1
			roots++
		case n.parent[i] < 0:
			return nil, false
		}
		n.children[n.parent[i]] = append(n.children[n.parent[i]], i)
	}
	for i := range spans {
		steps := 0
		for at := i; at >= 0; at = n.parent[at] {
			if steps++; steps > len(spans) {
				return nil, false
			}
		}
	}
	return n, roots == 1
}

func (n *naive) kind(i int) semconv.Kind { return n.spans[i].Kind }

// above gives the spans above one, the nearest first.
func (n *naive) above(i int) []int {
	var all []int
	for at := n.parent[i]; at >= 0; at = n.parent[at] {
		all = append(all, at)
	}
	return all
}

func model(k semconv.Kind) bool {
	return k == semconv.KindLLM || k == semconv.KindEmbedding || k == semconv.KindReranker
}

func isSearch(k semconv.Kind) bool { return k == semconv.KindRetriever || k == semconv.KindVectorQuery }

// wrapperOf gives the span that wraps a model span, -1 if none does: "W wraps L when
// L is the nearest model span below W with no tool, agent, retriever, reranker,
// embedding, guardrail or evaluator span between".
func (n *naive) wrapperOf(i int) int {
	for _, up := range n.above(i) {
		switch k := n.kind(up); {
		case k == n.kind(i):
			return up
		case model(k), isSearch(k), k == semconv.KindVectorStore, k == semconv.KindTool, k == semconv.KindAgent,
			k == semconv.KindGuardrail, k == semconv.KindEvaluator:
			return -1
		}
	}
	return -1
}

func (n *naive) wrapped(w int) []int {
	var all []int
	for i := range n.spans {
		if model(n.kind(i)) && n.wrapperOf(i) == w {
			all = append(all, i)
		}
	}
	return all
}

// ends tells whether any of the calls at or below a model span that it wraps ended
// well, and whether any failed.
func (n *naive) ends(i int) (well, failed bool) {
	inner := n.wrapped(i)
	if len(inner) == 0 {
		if !n.isCall[i] {
			return false, false
		}
		well = n.spans[i].Outcome == telemetry.Succeeded
		return well, !well
	}
	for _, l := range inner {
		w, f := n.ends(l)
		well, failed = well || w, failed || f
	}
	if !well && failed && n.spans[i].Outcome == telemetry.Succeeded {
		well = true
	}
	return well, failed
}

// repeats tells whether a language model's span above others through a tool or an
// agent adds nothing to them.
func (n *naive) repeats(i int) bool {
	calls, known, sum := 0, false, int64(0)
	for l := range n.spans {
		if n.kind(l) != semconv.KindLLM || !slices.Contains(n.above(l), i) {
			continue
		}
		if n.isCall[l] || n.extra[l] {
			calls++
		}
		if n.isCall[l] && n.spans[l].Call.HasUsage {
			known = true
			sum += n.spans[l].Call.Tokens.Total()
		}
	}
	c := &n.spans[i].Call
	named := c.RequestModel != "" || c.ResponseModel != "" || c.HasUsage
	return calls > 0 && (!named || c.HasUsage && known && c.Tokens.Total() == sum)
}

// bottomUp gives the spans, each after all below it.
func (n *naive) bottomUp() []int {
	all := make([]int, len(n.spans))
	for i := range all {
		all[i] = i
	}
	slices.SortStableFunc(all, func(a, b int) int { return cmp.Compare(len(n.above(b)), len(n.above(a))) })
	return all
}

func (n *naive) judge() {
	for _, i := range n.bottomUp() {
		if !model(n.kind(i)) {
			continue
		}
		if len(n.wrapped(i)) > 0 {
			anyWell, anyFailed := false, false
			for _, l := range n.wrapped(i) {
				w, f := n.ends(l)
				anyWell, anyFailed = anyWell || w, anyFailed || f
			}
			n.extra[i] = n.spans[i].Outcome == telemetry.Succeeded && anyFailed && !anyWell
			continue
		}
		n.isCall[i] = n.kind(i) != semconv.KindLLM || !n.repeats(i)
	}
	for j := range n.spans {
		for i := range j {
			if n.isCall[i] && n.isCall[j] && !n.twin[i] && n.sameCall(i, j) {
				n.twin[j] = true
				n.isCall[j] = false
			}
		}
	}
	n.twinSearches()
}

func (n *naive) sameCall(i, j int) bool {
	a, b := &n.spans[i], &n.spans[j]
	near := func(x, y int64) bool { return x-y <= 5e6 && y-x <= 5e6 }
	return a.Kind == b.Kind && a.Service == b.Service && a.Scope != b.Scope && modelOf(a) != "" && modelOf(a) == modelOf(b) &&
		a.Call.Tokens == b.Call.Tokens && near(a.Start, b.Start) && near(a.End, b.End) &&
		!slices.Contains(n.above(i), j) && !slices.Contains(n.above(j), i)
}

// sameSearch tells whether two searches are two instrumentations' views of one:
// "of one service, neither above the other, from different scopes, with the same
// source and number of documents where both tell them, and within 5 ms".
func (n *naive) sameSearch(i, j int) bool {
	a, b := &n.spans[i], &n.spans[j]
	near := func(x, y int64) bool { return x-y <= 5e6 && y-x <= 5e6 }
	x, y := &a.Search, &b.Search
	return a.Service == b.Service && a.Scope != b.Scope && near(a.Start, b.Start) && near(a.End, b.End) &&
		(x.Documents < 0 || y.Documents < 0 || x.Documents == y.Documents) &&
		(x.DataSource == "" || y.DataSource == "" || x.DataSource == y.DataSource) &&
		!slices.Contains(n.above(i), j) && !slices.Contains(n.above(j), i)
}

// isEvent tells whether a search is one of its own.
func (n *naive) isEvent(i int) bool {
	return isSearch(n.kind(i)) && n.outermost(i) == i && !n.twin[i]
}

// detail ranks what a search tells of its documents: by scores, else by their number.
func detail(s *understand.Span) int {
	switch {
	case s.Search.Scored > 0:
		return 2
	case s.Search.Documents >= 0:
		return 1
	}
	return 0
}

func (n *naive) twinSearches() {
	for i := range n.spans {
		for j := i + 1; j < len(n.spans) && n.isEvent(i); j++ {
			if !n.isEvent(j) || !n.sameSearch(i, j) {
				continue
			}
			if detail(&n.spans[j]) > detail(&n.spans[i]) {
				n.twin[i] = true
			} else {
				n.twin[j] = true
			}
		}
	}
}

func modelOf(s *understand.Span) string { return cmp.Or(s.Call.ResponseModel, s.Call.RequestModel) }

// told is the usage that a model span and those it wraps tell among them, and lacks
// whether a call there has none that is accounted for.
func (n *naive) told(i int) (usage int64, known, lacks bool) {
	switch c := &n.spans[i].Call; {
	case !n.isCall[i] && len(n.wrapped(i)) == 0:
		return 0, false, false // it repeats what calls below it told: it is no call
	case c.HasUsage:
		return c.Tokens.Total(), true, false
	case n.isCall[i]:
		return 0, false, true
	}
	for _, l := range n.wrapped(i) {
		if n.twin[l] {
			continue
		}
		u, k, x := n.told(l)
		usage, known, lacks = usage+u, known || k, lacks || x
	}
	return usage, known, lacks
}

// give shares out the usage of model spans: "a call without usage gets its wrapper's
// usage minus that of the wrapped calls, never below zero; of several such, the last".
func (n *naive) give() {
	for i := range n.spans {
		if c := &n.spans[i].Call; model(n.kind(i)) && c.HasUsage {
			n.usage[i] = c.Tokens.Total()
		}
	}
	down := n.bottomUp()
	slices.Reverse(down)
	for _, w := range down {
		usage, has := n.usage[w]
		if !model(n.kind(w)) || !has || len(n.wrapped(w)) == 0 {
			continue
		}
		rest, last := usage, -1
		for _, l := range n.wrapped(w) {
			if n.twin[l] {
				continue
			}
			u, known, lacks := n.told(l)
			if known {
				rest -= u
			}
			if lacks && (last < 0 || n.spans[l].End > n.spans[last].End) {
				last = l
			}
		}
		rest = max(0, rest)
		switch {
		case n.extra[w]:
			delete(n.usage, w)
			if rest > 0 {
				n.usage[w] = rest
			}
		case last >= 0 && rest > 0:
			u, _, _ := n.told(last)
			if n.isCall[last] {
				u = 0
			}
			n.usage[last] = rest + u
		}
	}
}

// ambiguous tells whether two spans that the rules tell apart by when they ended
// ended at once: then the rules name neither.
func (n *naive) ambiguous() bool {
	for i := range n.spans {
		for j := range i {
			if n.spans[i].End == n.spans[j].End && (model(n.kind(i)) && model(n.kind(j)) || isSearch(n.kind(i)) && isSearch(n.kind(j))) {
				return true
			}
		}
	}
	return false
}

// outermost gives the search that a search is part of, itself if none.
func (n *naive) outermost(i int) int {
	found := i
	for _, up := range n.above(i) {
		switch {
		case n.kind(up) == semconv.KindTool || n.kind(up) == semconv.KindAgent:
			return found
		case isSearch(n.kind(up)):
			found = up
		}
	}
	return found
}

func (n *naive) evidence(i int) telemetry.Evidence {
	from := &n.spans[i].Search
	if from.Documents < 0 {
		last := -1
		for l := range n.spans {
			if l != i && isSearch(n.kind(l)) && n.outermost(l) == i && n.spans[l].Outcome == telemetry.Succeeded &&
				n.spans[l].Search.Documents >= 0 && (last < 0 || n.spans[l].End > n.spans[last].End) {
				last = l
			}
		}
		if last >= 0 {
			from = &n.spans[last].Search
		}
	}
	switch {
	case from.Documents > 0 || from.Scored > 0:
		return telemetry.Found
	case from.Documents == 0:
		return telemetry.Empty
	}
	return telemetry.Unknown
}

// count counts the trace.
func (n *naive) count() tally {
	n.judge()
	n.give()
	var t tally
	for i := range n.spans {
		switch k := n.kind(i); {
		case n.isCall[i] || n.extra[i]:
			switch k {
			case semconv.KindEmbedding:
				t.Embeddings++
			case semconv.KindReranker:
				t.Reranks++
			default:
				t.Calls++
				t.Tokens += n.usage[i]
				if n.isCall[i] && n.spans[i].Outcome == telemetry.Failed {
					t.Failed++
				}
			}
		case k == semconv.KindTool:
			t.Tools++
		case n.isEvent(i):
			t.Searches++
			switch n.evidence(i) {
			case telemetry.Found:
				t.Found++
			case telemetry.Empty:
				t.Empty++
			}
		}
	}
	n.chats(&t)
	return t
}
