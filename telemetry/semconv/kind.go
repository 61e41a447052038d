package semconv

import "bytes"

// Kind is what a span is about, resolved over the dialects. The zero value is
// KindOther: nothing a GenAI dialect knows.
type Kind uint8

// The kinds.
const (
	KindOther Kind = iota
	// KindChain is a chain, a workflow or a task of one.
	KindChain
	KindAgent
	KindLLM
	KindRetriever
	KindEmbedding
	KindReranker
	KindTool
	KindPrompt
	KindParser
	KindGuardrail
	KindEvaluator
	// KindVectorQuery is a search in a vector store.
	KindVectorQuery
	// KindVectorStore is any other operation of a vector store: add, upsert, get, delete.
	KindVectorStore
)

var kindNames = [...]string{
	"other", "chain", "agent", "llm", "retriever", "embedding", "reranker", "tool",
	"prompt", "parser", "guardrail", "evaluator", "vector_query", "vector_store",
}

// String gives the kind in lower case.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "other"
}

// KindOfRunType reads langsmith.span.kind, openinference.span.kind and
// langfuse.observation.type, which name kinds with the same words in different
// case. KindOther is a word that decides nothing: the next name is asked.
func KindOfRunType(v []byte) Kind {
	var buf [16]byte
	switch string(lower(&buf, v)) {
	case "llm", "generation":
		return KindLLM
	case "chain":
		return KindChain
	case "agent":
		return KindAgent
	case "tool":
		return KindTool
	case "retriever":
		return KindRetriever
	case "embedding":
		return KindEmbedding
	case "reranker":
		return KindReranker
	case "prompt":
		return KindPrompt
	case "parser":
		return KindParser
	case "guardrail":
		return KindGuardrail
	case "evaluator":
		return KindEvaluator
	}
	return KindOther
}

// KindOfOperation reads gen_ai.operation.name, with the values met in the wild.
func KindOfOperation(v []byte) Kind {
	var buf [24]byte
	switch string(lowerN(buf[:], v)) {
	case "chat", "text_completion", "completion", "generate_content", "generate", "llm_request":
		return KindLLM
	case "embeddings", "embedding":
		return KindEmbedding
	case "retrieval", "vector_db_retrieve":
		return KindRetriever
	case "rerank", "reranker":
		return KindReranker
	case "execute_tool", "tool":
		return KindTool
	case "invoke_agent", "create_agent":
		return KindAgent
	case "invoke_workflow", "execute_task", "plan", "chain", "agent_step", "fetch_response":
		return KindChain
	case "prompt":
		return KindPrompt
	case "parser":
		return KindParser
	}
	return KindOther
}

// KindOfRequestType reads OpenLLMetry's llm.request.type.
func KindOfRequestType(v []byte) Kind {
	switch string(v) {
	case "chat", "completion":
		return KindLLM
	case "embedding":
		return KindEmbedding
	case "rerank":
		return KindReranker
	}
	return KindOther
}

// KindOfAIOperation reads the Vercel AI SDK's ai.operationId. Its outer spans
// repeat the usage of the inner ones and are chains.
func KindOfAIOperation(v []byte) Kind {
	if !bytes.HasPrefix(v, []byte("ai.")) {
		return KindOther
	}
	switch string(v) {
	case "ai.generateText.doGenerate", "ai.streamText.doStream",
		"ai.generateObject.doGenerate", "ai.streamObject.doStream":
		return KindLLM
	case "ai.embed.doEmbed", "ai.embedMany.doEmbed":
		return KindEmbedding
	case "ai.rerank.doRerank":
		return KindReranker
	case "ai.toolCall":
		return KindTool
	}
	return KindChain
}

// KindOfTraceloop reads traceloop.span.kind.
func KindOfTraceloop(v []byte) Kind {
	switch string(v) {
	case "workflow", "task":
		return KindChain
	case "agent":
		return KindAgent
	case "tool":
		return KindTool
	}
	return KindOther
}

// IsVectorStore tells whether a db.system or db.system.name is a store of vectors
// and nothing else. Databases that also hold vectors are not: their spans are
// searches only where a retriever says so.
func IsVectorStore(system []byte) bool {
	var buf [24]byte
	switch string(lowerN(buf[:], system)) {
	case "chroma", "chromadb", "pinecone", "qdrant", "milvus", "zilliz", "weaviate", "lancedb",
		"marqo", "pgvector", "faiss", "vald", "turbopuffer", "vespa", "annoy", "deeplake":
		return true
	}
	return false
}

// IsVectorQuery tells whether an operation of a vector store searches it. Adding,
// upserting, getting and deleting do not. The operation may be the name of the
// span where no attribute tells: chroma.query, qdrant.search_groups.
func IsVectorQuery(operation []byte) bool {
	var buf [64]byte
	op := lowerN(buf[:], operation)
	for _, word := range notQueries {
		if bytes.Contains(op, word) {
			return false
		}
	}
	for _, word := range queries {
		if bytes.Contains(op, word) {
			return true
		}
	}
	return false
}

var (
	queries = [][]byte{
		[]byte("query"), []byte("search"), []byte("similar"), []byte("near"),
		[]byte("recommend"), []byte("discover"), []byte("hybrid"), []byte("knn"), []byte("bm25"),
	}
	notQueries = [][]byte{
		[]byte("add"), []byte("insert"), []byte("upsert"), []byte("delete"), []byte("update"),
		[]byte("create"), []byte("drop"), []byte("peek"), []byte("count"),
	}
)

func lower(buf *[16]byte, v []byte) []byte { return lowerN(buf[:], v) }

// lowerN gives v in lower case in buf, or v itself where it does not fit.
func lowerN(buf, v []byte) []byte {
	if len(v) > len(buf) {
		return v
	}
	for i, c := range v {
		if 'A' <= c && c <= 'Z' {
			c += 'a' - 'A'
		}
		buf[i] = c
	}
	return buf[:len(v)]
}
