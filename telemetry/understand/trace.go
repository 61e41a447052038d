package understand

// trace is what is known of one trace. Its two halves are there only while they
// hold something: most traces are either open or remembered.
type trace struct {
	id   [16]byte
	seq  uint64
	door uint8
	*opened
	*closed
}

// opened is the spans of a trace's open fragments.
type opened struct {
	spans []held
	free  int32 // first free slot of spans, -1 if none
	live  int32 // spans in open fragments
	frags []*fragment
	one   [1]*fragment // room for frags of most traces

	// slots and waiting index spans and fragments of large traces, nil for others:
	// slots by span id, waiting the tops by the parent they lack.
	slots   map[uint64]int32
	waiting map[uint64][]*fragment
}

// closed is what is remembered of a trace's fragments that closed.
type closed struct {
	kept  []kept
	chats []keptChat
	calls []keptCall
	// keptAt and tops index large kept lists, nil for others: spans by id, and
	// tops by the parent they lack.
	keptAt  map[uint64]int32
	tops    map[uint64][]int32
	until   int64  // when what is kept is forgotten
	keptSeq uint64 // which entry of the queue stands for it
}

// The halves of traces that have none. Nobody writes to them.
var (
	nothingOpen = &opened{free: -1}
	nothingKept = new(closed)
)

// fragment is the spans of a trace that are joined by parent ids. It has one top.
type fragment struct {
	trace      *trace
	seq        uint64
	top        int32
	head, tail int32
	count      int32
	first      int64    // when its first span was admitted, Unix nanoseconds
	grew       int64    // when its last span was
	due        int64    // when it closes
	timer      struct { // of its entry among the timers
		due int64
		seq uint64
	}
	timed bool // it has an entry
	genai bool // it holds a span of a GenAI kind, or one that a rule names
}

// indexFrom is the number of spans or fragments from which a trace is indexed.
const indexFrom = 48

// find gives the slot of a span, -1 if it is not open.
func (t *trace) find(id uint64) int32 {
	if t.slots != nil {
		if i, ok := t.slots[id]; ok {
			return i
		}
		return -1
	}
	for i := range t.spans {
		if h := &t.spans[i]; h.ID == id && h.frag != nil {
			return int32(i)
		}
	}
	return -1
}

// put makes a slot for a span with an id, which is to be filled.
func (t *trace) put(id uint64) int32 {
	var i int32
	if t.free >= 0 {
		i = t.free
		t.free = t.spans[i].next
	} else {
		i = int32(len(t.spans))
		if cap(t.spans) > len(t.spans) {
			t.spans = t.spans[:i+1]
		} else {
			t.spans = append(t.spans, held{})
		}
	}
	t.live++
	if t.slots != nil {
		t.slots[id] = i
	} else if t.live > indexFrom {
		slots := make(map[uint64]int32, 4*indexFrom)
		for k := range t.spans {
			if t.spans[k].frag != nil {
				slots[t.spans[k].ID] = int32(k)
			}
		}
		slots[id] = i
		t.slots = slots
	}
	return i
}

// release frees the slots of a closed fragment.
func (t *trace) release(f *fragment, figures *figures) {
	for i := f.head; i >= 0; {
		h := &t.spans[i]
		next := h.next
		if t.slots != nil {
			delete(t.slots, h.ID)
		}
		figures.free(h)
		h.frag = nil
		h.shape = nil
		h.next = t.free
		t.free = i
		i = next
	}
	t.live -= f.count
	if t.live == 0 {
		t.spans = t.spans[:0]
		t.free = -1
		t.slots = nil
	}
}

// join hangs the top of fragment b below a span of fragment a, and makes one
// fragment of the two; it gives the one that lives on, and the one that ended.
func (t *trace) join(a, b *fragment, parent int32) (lives, ends *fragment) {
	t.unwait(b)
	t.spans[b.top].parent = parent
	top := a.top
	lives, ends = a, b
	if ends.count > lives.count {
		lives, ends = b, a
		if t.spans[top].Parent != 0 {
			defer t.wait(lives)
		}
	}
	for i := ends.head; i >= 0; i = t.spans[i].next {
		t.spans[i].frag = lives
	}
	t.spans[lives.tail].next = ends.head
	lives.tail = ends.tail
	lives.top = top
	lives.count += ends.count
	lives.first = min(lives.first, ends.first)
	lives.grew = max(lives.grew, ends.grew)
	lives.seq = min(lives.seq, ends.seq)
	lives.genai = lives.genai || ends.genai
	return lives, ends
}

// wait notes that a fragment's top lacks its parent.
func (t *trace) wait(f *fragment) {
	if t.waiting != nil {
		p := t.spans[f.top].Parent
		t.waiting[p] = append(t.waiting[p], f)
		return
	}
	if len(t.frags) > indexFrom {
		t.waiting = make(map[uint64][]*fragment, 2*indexFrom)
		for _, g := range t.frags {
			if p := t.spans[g.top].Parent; p != 0 {
				t.waiting[p] = append(t.waiting[p], g)
			}
		}
	}
}

// unwait forgets that a fragment's top lacks its parent.
func (t *trace) unwait(f *fragment) {
	if t.waiting == nil {
		return
	}
	p := t.spans[f.top].Parent
	list := t.waiting[p]
	for i, g := range list {
		if g == f {
			list[i] = list[len(list)-1]
			list = list[:len(list)-1]
			break
		}
	}
	if len(list) == 0 {
		delete(t.waiting, p)
	} else {
		t.waiting[p] = list
	}
}

// lacking gives a fragment whose top has a span for its parent and lies outside a
// fragment, nil if there is none.
func (t *trace) lacking(parent uint64, outside *fragment) *fragment {
	list := t.frags
	if t.waiting != nil {
		list = t.waiting[parent]
	}
	for _, f := range list {
		if f != outside && t.spans[f.top].Parent == parent {
			return f
		}
	}
	return nil
}

// drop takes a fragment off the trace's lists.
func (t *trace) drop(f *fragment) {
	t.unwait(f)
	for i, g := range t.frags {
		if g == f {
			last := len(t.frags) - 1
			t.frags[i] = t.frags[last]
			t.frags[last] = nil
			t.frags = t.frags[:last]
			break
		}
	}
	if len(t.frags) == 0 {
		t.waiting = nil
	}
}
