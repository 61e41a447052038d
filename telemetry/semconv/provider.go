package semconv

import "bytes"

// Provider gives the one spelling of a provider: lower case, the released values
// of gen_ai.provider.name where other spellings of the same are known. "" stands
// for values that name none: langchain, which the LangSmith SDKs write where they
// do not know, langgraph, unknown and _OTHER. Values longer than 64 bytes are
// given as they are.
//
// The Vercel AI SDK names the interface behind the provider (openai.chat,
// google.vertex.chat): that is taken off.
func Provider(v []byte) string {
	var buf [64]byte
	low := lowerN(buf[:], v)
	if dot := bytes.LastIndexByte(low, '.'); dot > 0 {
		switch string(low[dot+1:]) {
		case "chat", "responses", "completion", "completions", "embedding", "textembedding", "messages",
			"image", "speech", "transcription", "generative-ai", "reranking":
			low = low[:dot]
		}
	}
	switch string(low) {
	case "", "langchain", "langgraph", "unknown", "_other":
		return ""
	case "openai":
		return "openai"
	case "groq":
		return "groq"
	case "anthropic":
		return "anthropic"
	case "xai":
		return "x_ai"
	case "az.ai.openai", "azure", "azure_openai", "azure-openai":
		return "azure.ai.openai"
	case "az.ai.inference":
		return "azure.ai.inference"
	case "vertex_ai", "vertexai", "google_vertexai", "google.vertex":
		return "gcp.vertex_ai"
	case "gemini", "google_genai", "google_gemini":
		return "gcp.gemini"
	case "google", "gcp.gen_ai":
		return "gcp.gen_ai"
	case "aws", "bedrock", "amazon_bedrock", "amazon-bedrock", "aws_bedrock":
		return "aws.bedrock"
	case "mistral", "mistralai":
		return "mistral_ai"
	case "watsonx", "ibm":
		return "ibm.watsonx.ai"
	case "moonshot", "moonshotai":
		return "moonshot_ai"
	}
	return string(low)
}
