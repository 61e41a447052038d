package understand

// runs knows which runs have a chat: by a POST that named the run, or by a span.
type runs struct {
	posted map[RunID]posted
	queue  []postedAt
	// traced has the chats that spans told, nil until a POST first asks for one:
	// where nobody posts, nobody pays for an index.
	traced map[RunID]tracedChat
}

// posted is what POSTs counted for a run.
type posted struct {
	calls, tokens int64
	until         int64
}

type postedAt struct {
	run   RunID
	until int64
}

type tracedChat struct {
	trace *trace
	chat  int32
}

// maxPosted bounds the posted runs that wait for their spans.
const maxPosted = 65_536

// post notes that a POST counted a run's chat, for its spans to know until a time.
func (r *runs) post(run RunID, calls, tokens, until int64) {
	if r.posted == nil {
		r.posted = make(map[RunID]posted)
	}
	p := r.posted[run]
	r.posted[run] = posted{p.calls + calls, p.tokens + tokens, until}
	r.queue = append(r.queue, postedAt{run, until})
	for len(r.posted) > maxPosted && len(r.queue) > 0 {
		r.next()
	}
}

// claim gives what POSTs counted for the first of some ids that any named, once.
func (r *runs) claim(ids ...RunID) (posted, bool) {
	if len(r.posted) == 0 {
		return posted{}, false
	}
	for _, id := range ids {
		if p, ok := r.posted[id]; ok {
			delete(r.posted, id)
			return p, true
		}
	}
	return posted{}, false
}

func (r *runs) next() {
	q := r.queue[0]
	r.queue = r.queue[1:]
	if p, ok := r.posted[q.run]; ok && p.until == q.until {
		delete(r.posted, q.run)
	}
}

// expire forgets what is due.
func (r *runs) expire(now int64) {
	for len(r.queue) > 0 && r.queue[0].until <= now {
		r.next()
	}
}

// trace notes the chat that spans told of a run.
func (r *runs) trace(run RunID, t *trace, chat int32) {
	if r.traced != nil {
		r.traced[run] = tracedChat{t, chat}
	}
}

// forget forgets the chat that a trace told of a run.
func (r *runs) forget(run RunID, t *trace) {
	if c, ok := r.traced[run]; ok && c.trace == t {
		delete(r.traced, run)
	}
}

// index makes the index of the chats that traces told, in the order in which these
// are remembered.
func (r *runs) index(remembering []memory) {
	r.traced = make(map[RunID]tracedChat, len(remembering))
	for _, m := range remembering {
		if m.trace.keptSeq != m.seq {
			continue
		}
		for i := range m.trace.chats {
			r.trace(m.trace.chats[i].run, m.trace, int32(i))
		}
	}
}

// find gives the chat that spans told of a run, nil if none did.
func (r *runs) find(run RunID, traces *traceTable) *keptChat {
	if c, ok := r.traced[run]; ok {
		return &c.trace.chats[c.chat]
	}
	if t := traces.get((*[16]byte)(&run)); t != nil && len(t.chats) > 0 {
		return &t.chats[0]
	}
	return nil
}
