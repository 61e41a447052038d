package semconv

import (
	"bytes"
	"encoding/binary"
	"math/bits"
)

// tableBits sizes the hash table: about eight slots a name, so that nearly every
// name that is not ours is told from one empty slot.
const tableBits = 11

type table struct {
	keys [1 << tableBits]Key
}

var known = build()

func build() *table {
	t := new(table)
	for k := 1; k < len(keyNames); k++ {
		i := hash([]byte(keyNames[k]))
		for t.keys[i] != NoKey {
			i = (i + 1) & (1<<tableBits - 1)
		}
		t.keys[i] = Key(k)
	}
	return t
}

// hash mixes the length with the first and last eight bytes, which tell all our names apart.
func hash(b []byte) uint {
	var lo, hi uint64
	n := len(b)
	switch {
	case n >= 8:
		lo = binary.LittleEndian.Uint64(b)
		hi = binary.LittleEndian.Uint64(b[n-8:])
	case n >= 4:
		lo = uint64(binary.LittleEndian.Uint32(b))
		hi = uint64(binary.LittleEndian.Uint32(b[n-4:]))
	}
	x, y := bits.Mul64(lo^0x9e3779b97f4a7c15^uint64(n)<<56, hi^0xd6e8feb86659fd93)
	return uint((x ^ y) >> (64 - tableBits))
}

// Lookup gives the key of an attribute name, NoKey if it is none of ours. It
// allocates nothing.
func Lookup(name []byte) Key {
	for i := hash(name); ; i = (i + 1) & (1<<tableBits - 1) {
		k := known.keys[i]
		if k == NoKey {
			break
		}
		if string(name) == keyNames[k] {
			return k
		}
	}
	return lookupIndexed(name)
}

var (
	prefixDocuments  = []byte("retrieval.documents.")
	prefixReranked   = []byte("reranker.output_documents.")
	prefixRerankIn   = []byte("reranker.input_documents.")
	prefixCompletion = []byte("gen_ai.completion.")
	suffixScore      = []byte(".score")
	suffixMetadata   = []byte(".metadata")
	suffixFinish     = []byte(".finish_reason")
)

func lookupIndexed(name []byte) Key {
	if len(name) < 20 {
		return NoKey
	}
	switch name[2] {
	case 't':
		if !bytes.HasPrefix(name, prefixDocuments) {
			return NoKey
		}
		switch {
		case bytes.HasSuffix(name, suffixScore):
			return KeyOIDocumentScore
		case bytes.HasSuffix(name, suffixMetadata):
			return KeyOIDocumentMetadata
		}
		return KeyOIDocument
	case 'r':
		if bytes.HasPrefix(name, prefixReranked) {
			return KeyOIRerankedDocument
		}
		if bytes.HasPrefix(name, prefixRerankIn) {
			return KeyOIRerankInput
		}
	case 'n':
		if bytes.HasPrefix(name, prefixCompletion) && bytes.HasSuffix(name, suffixFinish) {
			return KeyTLFinishReason
		}
	}
	return lookupFirstToken(name)
}

var firstToken = []byte("time_to_first_")

// lookupFirstToken knows the names under which dialects tell when the first token
// came: they differ in namespace and unit only.
func lookupFirstToken(name []byte) Key {
	at := bytes.LastIndex(name, firstToken)
	if at < 0 || !IsGenAI(name) {
		return NoKey
	}
	switch string(name[at+len(firstToken):]) {
	case "token", "chunk", "token_s", "chunk_s", "token_seconds", "chunk_seconds":
		return KeyFirstTokenSeconds
	case "token_ms", "chunk_ms", "token_milliseconds", "chunk_milliseconds":
		return KeyFirstTokenMillis
	case "token_ns", "chunk_ns", "token_nanoseconds", "chunk_nanoseconds":
		return KeyFirstTokenNanos
	}
	return NoKey
}

// Index gives the number in an indexed name, the first part of it that is all
// digits; false if there is none below 1e6.
func Index(name []byte) (int, bool) {
	for len(name) > 0 {
		part := name
		if dot := bytes.IndexByte(name, '.'); dot >= 0 {
			part, name = name[:dot], name[dot+1:]
		} else {
			name = nil
		}
		if n, ok := digits(part); ok {
			return n, true
		}
	}
	return 0, false
}

func digits(b []byte) (int, bool) {
	if len(b) == 0 || len(b) > 6 {
		return 0, false
	}
	n := 0
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, true
}

// String gives the attribute's name, "" for NoKey and the indexed families.
func (k Key) String() string {
	if int(k) < len(keyNames) {
		return keyNames[k]
	}
	return ""
}

var genAIPrefixes = [...]string{
	"gen_ai.", "llm.", "openinference.", "traceloop.", "langsmith.", "langfuse.", "ai.",
	"retrieval.", "reranker.", "embedding.", "db.vector.",
}

// IsGenAI tells whether an attribute's name lies in a namespace of one of the
// GenAI dialects, whether anybody here reads it or not. Those that are and that
// nobody reads are what a new generation of names looks like.
func IsGenAI(name []byte) bool {
	for _, p := range genAIPrefixes {
		if len(name) > len(p) && string(name[:len(p)]) == p {
			return true
		}
	}
	return false
}
