package export

import "bytes"

// share is what of a record goes to one project.
type share struct {
	project string
	data    []byte
	spans   int64
}

// shares sorts the spans of a request by the project that their attribute
// names. Spans without it go with their trace: to the project that another span
// of the trace names, so that a trace stays whole; else to fallback. A request
// whose spans all go to one project comes back as it is, in a single share.
func shares(request []byte, attribute, fallback string, items int64) ([]share, error) {
	whole := []share{{project: fallback, data: request, spans: items}}
	if attribute == "" || !bytes.Contains(request, []byte(attribute)) {
		return whole, nil
	}
	ofTrace := map[string]string{}
	var own []string
	err := eachSpan(request, func(span []byte) {
		project := stringAttribute(span, attribute)
		own = append(own, project)
		if trace := string(lastField(span, spanTraceID)); project != "" && ofTrace[trace] == "" {
			ofTrace[trace] = project
		}
	})
	if err != nil {
		return nil, err
	}
	i := 0
	var order []string
	seen := map[string]bool{}
	_ = eachSpan(request, func(span []byte) {
		if own[i] == "" {
			own[i] = ofTrace[string(lastField(span, spanTraceID))]
		}
		if own[i] == "" {
			own[i] = fallback
		}
		if !seen[own[i]] {
			seen[own[i]] = true
			order = append(order, own[i])
		}
		i++
	})
	if len(order) < 2 {
		if len(order) == 1 {
			whole[0].project = order[0]
		}
		return whole, nil
	}
	parts := make([]share, 0, len(order))
	for _, project := range order {
		i := 0
		data, n, err := selectSpans(request, func([]byte) bool {
			i++
			return own[i-1] == project
		})
		if err != nil {
			return nil, err
		}
		parts = append(parts, share{project: project, data: data, spans: n})
		items -= n
	}
	// The record's own count is the one that was admitted.
	parts[len(parts)-1].spans += items
	return parts, nil
}
