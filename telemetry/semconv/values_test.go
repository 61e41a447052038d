package semconv

import "testing"

func TestKindOfValues(t *testing.T) {
	for _, c := range []struct {
		what string
		read func([]byte) Kind
		in   string
		want Kind
	}{
		{"langsmith", KindOfRunType, "retriever", KindRetriever},
		{"langsmith", KindOfRunType, "prompt", KindPrompt},
		{"openinference", KindOfRunType, "LLM", KindLLM},
		{"openinference", KindOfRunType, "RERANKER", KindReranker},
		{"openinference", KindOfRunType, "GUARDRAIL", KindGuardrail},
		{"langfuse", KindOfRunType, "generation", KindLLM},
		{"langfuse", KindOfRunType, "span", KindOther},
		{"any", KindOfRunType, "a word that is much too long to be one of ours", KindOther},
		{"operation", KindOfOperation, "chat", KindLLM},
		{"operation", KindOfOperation, "text_completion", KindLLM},
		{"operation", KindOfOperation, "completion", KindLLM},
		{"operation", KindOfOperation, "generate_content", KindLLM},
		{"operation", KindOfOperation, "embeddings", KindEmbedding},
		{"operation", KindOfOperation, "retrieval", KindRetriever},
		{"operation", KindOfOperation, "vector_db_retrieve", KindRetriever},
		{"operation", KindOfOperation, "execute_tool", KindTool},
		{"operation", KindOfOperation, "invoke_agent", KindAgent},
		{"operation", KindOfOperation, "invoke_workflow", KindChain},
		{"operation", KindOfOperation, "search_memory", KindOther},
		{"request type", KindOfRequestType, "completion", KindLLM},
		{"request type", KindOfRequestType, "rerank", KindReranker},
		{"request type", KindOfRequestType, "unknown", KindOther},
		{"vercel", KindOfAIOperation, "ai.streamText.doStream", KindLLM},
		{"vercel", KindOfAIOperation, "ai.streamText", KindChain},
		{"vercel", KindOfAIOperation, "ai.embedMany.doEmbed", KindEmbedding},
		{"vercel", KindOfAIOperation, "ai.toolCall", KindTool},
		{"vercel", KindOfAIOperation, "other", KindOther},
		{"traceloop", KindOfTraceloop, "workflow", KindChain},
		{"traceloop", KindOfTraceloop, "agent", KindAgent},
		{"traceloop", KindOfTraceloop, "unknown", KindOther},
	} {
		if got := c.read([]byte(c.in)); got != c.want {
			t.Errorf("%s %q = %v, want %v", c.what, c.in, got, c.want)
		}
	}
}

func TestVectorStores(t *testing.T) {
	for system, want := range map[string]bool{
		"chroma": true, "Pinecone": true, "qdrant": true, "postgresql": false, "redis": false, "": false,
	} {
		if got := IsVectorStore([]byte(system)); got != want {
			t.Errorf("IsVectorStore(%q) = %v, want %v", system, got, want)
		}
	}
	for op, want := range map[string]bool{
		"query": true, "search": true, "chroma.query": true, "weaviate.query.get.do": true,
		"query_points": true, "recommend": true, "similarity_search": true,
		"add": false, "upsert": false, "get": false, "delete": false, "peek": false, "": false,
		"create_index": false,
	} {
		if got := IsVectorQuery([]byte(op)); got != want {
			t.Errorf("IsVectorQuery(%q) = %v, want %v", op, got, want)
		}
	}
}

func TestProvider(t *testing.T) {
	for in, want := range map[string]string{
		"OpenAI": "openai", "xai": "x_ai", "az.ai.openai": "azure.ai.openai", "vertex_ai": "gcp.vertex_ai",
		"gemini": "gcp.gemini", "Langchain": "", "_OTHER": "", "unknown": "", "Zhipu": "zhipu", "groq": "groq",
		"az.ai.inference": "azure.ai.inference", "": "",
	} {
		if got := Provider([]byte(in)); got != want {
			t.Errorf("Provider(%q) = %q, want %q", in, got, want)
		}
	}
}
