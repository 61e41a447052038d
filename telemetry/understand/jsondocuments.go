package understand

// documents reads the documents at the value that follows: an array of them, or an
// object that holds one under one of the names that retrievers use.
func (j *json) documents(f *found) {
	switch j.next() {
	case '[':
		j.list(f)
	case '{':
		j.holder(f, 0)
	}
}

// holder looks for the documents among the members of an object.
func (j *json) holder(f *found, nested int) {
	if !j.enter('{') {
		return
	}
	for first := true; j.more('}', first); first = false {
		key := j.key()
		if f.documents < 0 {
			switch string(key) {
			case "documents", "docs", "output", "outputs", "results", "matches":
				switch j.next() {
				case '[':
					j.list(f)
					continue
				case '{':
					if nested < 2 {
						j.holder(f, nested+1)
						continue
					}
				}
			case "count":
				if n, ok := j.number(); ok && n == 0 {
					f.documents = 0
				}
				continue
			}
		}
		j.skip()
	}
}

// list reads an array: of documents; of pairs of a document and its score; or of
// arrays, the first of which holds the documents.
func (j *json) list(f *found) {
	f.documents = 0
	if !j.enter('[') {
		return
	}
	for first := true; j.more(']', first); first = false {
		switch j.next() {
		case '{':
			f.document()
			if s, _, ok := j.scoreOf(); ok {
				f.score(s)
			}
		case '"':
			f.document()
			j.skip()
		case '[':
			if !j.pair(f, first) {
				j.rest()
				return
			}
		default:
			j.skip()
		}
	}
}

// rest passes what is left of an array that was entered.
func (j *json) rest() {
	for j.more(']', false) {
		j.skip()
	}
}

// pair reads an inner array: [document, score] counts as one document, any other
// holds the documents itself and ends the search, which false tells.
func (j *json) pair(f *found, first bool) bool {
	inner := found{}
	members, number := 0, 0.0
	numbers := 0
	if !j.enter('[') {
		return false
	}
	for at := true; j.more(']', at); at = false {
		members++
		switch c := j.next(); {
		case c == '{':
			inner.document()
			if s, _, ok := j.scoreOf(); ok {
				inner.score(s)
			}
		case c == '"':
			inner.document()
			j.skip()
		case c == '-' || '0' <= c && c <= '9':
			if n, ok := j.number(); ok {
				number = n
				numbers++
			}
		default:
			j.skip()
		}
	}
	if members == 2 && numbers == 1 && inner.documents == 1 {
		f.document()
		f.score(number)
		return true
	}
	switch {
	case first && numbers > 0 && inner.documents == 0:
		*f = found{documents: -1}
	case first:
		*f = inner
	}
	return false
}

// scoreOf finds the score of a document that is an object, in itself before its
// metadata; rank tells how plainly it was named.
func (j *json) scoreOf() (score float64, rank int, ok bool) {
	return j.scoreWithin(0)
}

func (j *json) scoreWithin(nested int) (score float64, rank int, ok bool) {
	if j.next() != '{' {
		j.skip()
		return 0, 0, false
	}
	if !j.enter('{') {
		return 0, 0, false
	}
	for first := true; j.more('}', first); first = false {
		key := j.key()
		if here := scoreRank(key) * 10; here > rank {
			if s, isNumber := j.number(); isNumber {
				score, rank = s, here
			}
			continue
		}
		if rank == 0 && nested < 2 && (string(key) == "metadata" || string(key) == "kwargs") && j.next() == '{' {
			if s, inner, found := j.scoreWithin(nested + 1); found {
				score, rank = s, max(1, inner/10)
			}
			continue
		}
		j.skip()
	}
	return score, rank, rank > 0
}
