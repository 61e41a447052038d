package understand

// callContent is what the content of a model span tells where its attributes do not.
type callContent struct {
	requestModel, responseModel []byte
	streams                     bool
	usage                       usage
	budget                      int
}

// read reads a call's parameters, inputs and, where wanted, outputs, each JSON text or nil.
func (c *callContent) read(parameters, inputs, outputs []byte, wantUsage bool) {
	c.usage = newUsage()
	c.inputs(parameters)
	c.inputs(inputs)
	if outputs != nil && (wantUsage || c.responseModel == nil) {
		j := json{b: outputs, budget: c.budget}
		c.outputs(&j, wantUsage)
	}
}

// inputs looks for the model among the arguments: model, model_name, and the first
// user's glm_model and selected_model, there or one object deeper.
func (c *callContent) inputs(text []byte) {
	if text == nil {
		return
	}
	j := json{b: text, budget: c.budget}
	if j.next() == '{' {
		c.arguments(&j, true)
	}
}

func (c *callContent) arguments(j *json, nested bool) {
	rank := 0
	if c.requestModel != nil {
		rank = 9
	}
	if !j.enter('{') {
		return
	}
	for first := true; j.more('}', first); first = false {
		key := j.key()
		found := 0
		switch string(key) {
		case "model":
			found = 4
		case "model_name":
			found = 3
		case "selected_model":
			found = 2
		case "glm_model":
			found = 1
		case "stream", "streaming":
			if j.next() == 't' {
				c.streams = true
			}
		case "inputs", "kwargs", "invocation_params":
			if nested && j.next() == '{' {
				c.arguments(j, false)
				continue
			}
		}
		if found > rank && j.next() == '"' {
			if v := j.str(); len(v) > 0 && string(v) != "unknown" {
				c.requestModel, rank = v, found
			}
			continue
		}
		j.skip()
	}
}

// outputs looks through an answer for usage and model, wherever LangChain and the
// providers put them. The first of each that is found counts.
func (c *callContent) outputs(j *json, wantUsage bool) {
	switch j.next() {
	case '{':
		if !j.enter('{') {
			return
		}
		for first := true; j.more('}', first); first = false {
			switch string(j.key()) {
			case "usage_metadata", "token_usage", "tokenUsage", "usage":
				if wantUsage && !c.usage.told() && j.next() == '{' {
					c.usage = newUsage()
					j.usage(&c.usage)
					continue
				}
			case "model_name", "model":
				if c.responseModel == nil && j.next() == '"' {
					if v := j.str(); len(v) > 0 && string(v) != "unknown" {
						c.responseModel = v
					}
					continue
				}
			}
			c.outputs(j, wantUsage)
		}
	case '[':
		if !j.enter('[') {
			return
		}
		for first := true; j.more(']', first); first = false {
			c.outputs(j, wantUsage)
		}
	default:
		j.skip()
	}
}

// usage reads a usage object of LangChain, OpenAI, Anthropic or the AI SDK.
func (j *json) usage(u *usage) {
	if j.next() != '{' || !j.enter('{') {
		return
	}
	for first := true; j.more('}', first); first = false {
		key := j.key()
		n := u.named(key)
		if n == nil && isDetails(key) && j.next() == '{' {
			j.usageDetails(u)
			continue
		}
		j.count(n)
	}
}

func isDetails(key []byte) bool {
	switch string(key) {
	case "input_token_details", "output_token_details", "prompt_tokens_details",
		"completion_tokens_details", "input_tokens_details", "output_tokens_details":
		return true
	}
	return false
}

// named gives the count that a key of a usage object means, nil if none.
func (u *usage) named(key []byte) *float64 {
	switch string(key) {
	case "input_tokens", "prompt_tokens", "promptTokens", "inputTokens", "input":
		return &u.input
	case "output_tokens", "completion_tokens", "completionTokens", "outputTokens", "output":
		return &u.output
	case "total_tokens", "totalTokens", "total":
		return &u.total
	case "cache_read_input_tokens", "cachedInputTokens", "input_cached_tokens":
		return &u.cacheRead
	case "cache_creation_input_tokens":
		return &u.cacheWrite
	case "reasoning_tokens", "reasoningTokens", "output_reasoning_tokens":
		return &u.reasoning
	case "total_cost":
		return &u.cost
	case "input_cost":
		return &u.inputCost
	case "output_cost":
		return &u.outputCost
	}
	return nil
}

// usageDetails reads the details of a usage object.
func (j *json) usageDetails(u *usage) {
	if j.next() != '{' || !j.enter('{') {
		return
	}
	for first := true; j.more('}', first); first = false {
		j.count(u.detail(j.key()))
	}
}

// detail gives the count that a key of the details means, nil if none.
func (u *usage) detail(key []byte) *float64 {
	switch string(key) {
	case "cache_read", "cached_tokens":
		return &u.cacheRead
	case "cache_creation", "cache_write":
		return &u.cacheWrite
	case "reasoning", "reasoning_tokens":
		return &u.reasoning
	}
	return nil
}

// count reads a number of tokens into n where n is wanted and still unknown.
func (j *json) count(n *float64) {
	if n == nil || *n != -1 {
		j.skip()
		return
	}
	if v, ok := j.number(); ok {
		setCount(n, v)
	}
}

// setCount sets a count; -1, which means that none was told, becomes another
// number that is refused.
func setCount(n *float64, v float64) {
	if v == -1 {
		v = -2
	}
	*n = v
}

// labels are what LangChain tells of a model in a run's metadata.
type labels struct{ model, provider []byte }

func labelsOf(metadata []byte, budget int) (l labels) {
	j := json{b: metadata, budget: budget}
	if j.next() != '{' || !j.enter('{') {
		return l
	}
	for first := true; j.more('}', first); first = false {
		var into *[]byte
		switch string(j.key()) {
		case "ls_model_name":
			into = &l.model
		case "ls_provider":
			into = &l.provider
		}
		if into != nil && j.next() == '"' {
			*into = j.str()
			continue
		}
		j.skip()
	}
	return l
}
