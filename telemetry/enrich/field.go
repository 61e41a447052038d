package enrich

import (
	"encoding/binary"
	"math/bits"

	"treq/telemetry/semconv"
)

// field is an attribute that the rules read or add; 0 is none of them.
type field uint8

const (
	none field = iota
	genAISystem
	providerName
	operationName
	requestModel
	responseModel
	inputTokens
	promptTokens
	outputTokens
	completionTokens
	totalTokens
	cacheRead
	cacheReadOld
	cacheCreation
	cacheWrite
	cacheCreationOld
	reasoning
	reasoningTokens
	reasoningDetails
	conversationID
	retrievalDocuments
	retrievalQuery
	inputMessages
	outputMessages
	prompt
	completion
	genAIUser
	userID
	endUserID
	errorType
	exceptionType
	exceptionMessage
	oiSpanKind
	oiInput
	oiOutput
	oiSessionID
	oiModelName
	oiProvider
	oiSystem
	oiPromptTokens
	oiCompletionTokens
	oiTotalTokens
	oiCacheRead
	oiCacheWrite
	oiReasoning
	lsSpanKind
	lsProvider
	lsModelName
	lsSessionID
	lsThreadID
	lsConversationID
	lsUserID
	lsUsage
	lsMetaUsage
	lsInputDetails
	lsOutputDetails
	lfObservationType
	lfSessionID
	lfUserID
	tlInput
	tlOutput
	tlPromptTokens
	tlCompletionTokens
	tlTotalTokens
	aiProvider
	aiCached
	aiCacheRead
	aiCacheWrite
	aiReasoning
	aiThought
	fieldCount
)

// names are the attributes of the fields.
var names = [fieldCount]string{
	genAISystem: semconv.GenAISystem, providerName: semconv.GenAIProviderName, operationName: semconv.GenAIOperationName,
	requestModel: semconv.GenAIRequestModel, responseModel: semconv.GenAIResponseModel,
	inputTokens: semconv.GenAIInputTokens, promptTokens: semconv.GenAIPromptTokens, outputTokens: semconv.GenAIOutputTokens,
	completionTokens: semconv.GenAICompletionTokens, totalTokens: semconv.GenAITotalTokens,
	cacheRead: semconv.GenAICacheRead, cacheReadOld: semconv.GenAICacheReadOld,
	cacheCreation: semconv.GenAICacheCreation, cacheWrite: semconv.GenAICacheWrite, cacheCreationOld: semconv.GenAICacheCreationOld,
	reasoning: semconv.GenAIReasoning, reasoningTokens: semconv.GenAIReasoningTokens, reasoningDetails: semconv.GenAIReasoningDetails,
	conversationID: semconv.GenAIConversationID, retrievalDocuments: semconv.GenAIRetrievalDocuments, retrievalQuery: semconv.GenAIRetrievalQuery,
	inputMessages: semconv.GenAIInputMessages, outputMessages: semconv.GenAIOutputMessages, prompt: semconv.GenAIPrompt, completion: semconv.GenAICompletion,
	genAIUser: semconv.GenAIUser, userID: semconv.UserID, endUserID: semconv.EndUserID,
	errorType: semconv.ErrorType, exceptionType: semconv.ExceptionType, exceptionMessage: semconv.ExceptionMessage,
	oiSpanKind: semconv.OISpanKind, oiInput: semconv.OIInputValue, oiOutput: semconv.OIOutputValue, oiSessionID: semconv.OISessionID,
	oiModelName: semconv.OIModelName, oiProvider: semconv.OIProvider, oiSystem: semconv.OISystem,
	oiPromptTokens: semconv.OIPromptTokens, oiCompletionTokens: semconv.OICompletionTokens, oiTotalTokens: semconv.OITotalTokens,
	oiCacheRead: semconv.OICacheRead, oiCacheWrite: semconv.OICacheWrite, oiReasoning: semconv.OIReasoning,
	lsSpanKind: semconv.LSSpanKind, lsProvider: semconv.LSProvider, lsModelName: semconv.LSModelName, lsSessionID: semconv.LSMetaSessionID, lsThreadID: semconv.LSMetaThreadID,
	lsConversationID: semconv.LSMetaConversationID, lsUserID: semconv.LSMetaUserID, lsUsage: semconv.LSUsageMetadata, lsMetaUsage: semconv.LSMetaUsage,
	lsInputDetails: semconv.LSInputTokenDetails, lsOutputDetails: semconv.LSOutputTokenDetails,
	lfObservationType: semconv.LFObservationType, lfSessionID: semconv.LFSessionID, lfUserID: semconv.LFUserID,
	tlInput: semconv.TLEntityInput, tlOutput: semconv.TLEntityOutput,
	tlPromptTokens: semconv.TLUsagePromptTokens, tlCompletionTokens: semconv.TLUsageCompletionTokens, tlTotalTokens: semconv.TLUsageTotalTokens,
	aiProvider: semconv.AIModelProvider, aiCached: semconv.AICachedInputTokens, aiCacheRead: semconv.AIDetailsCacheRead,
	aiCacheWrite: semconv.AIDetailsCacheWrite, aiReasoning: semconv.AIReasoningTokens, aiThought: semconv.AIDetailsReasoning,
}

// slots sizes the table of names: eight for each, so that a name that is none of them
// mostly meets an empty one.
const slots = 512

var table = func() (t [slots]field) {
	for f := none + 1; f < fieldCount; f++ {
		i := slot([]byte(names[f]))
		for t[i] != none {
			i = (i + 1) % slots
		}
		t[i] = f
	}
	return t
}()

// slot mixes the length with the first and last eight bytes.
func slot(name []byte) uint {
	n := len(name)
	if n < 8 {
		return 0
	}
	x, y := bits.Mul64(binary.LittleEndian.Uint64(name)^uint64(n)<<56^0x9e3779b97f4a7c15, binary.LittleEndian.Uint64(name[n-8:])^0xd6e8feb86659fd93)
	return uint((x ^ y) % slots)
}

// fieldOf gives the field of an attribute, none for others.
func fieldOf(name []byte) field {
	for i := slot(name); table[i] != none; i = (i + 1) % slots {
		if names[table[i]] == string(name) {
			return table[i]
		}
	}
	return none
}
