package semconv

// Key is a known attribute name, or a family of indexed ones, as a small number.
// The zero value is NoKey: a name nobody here reads.
type Key uint8

// The keys; each is named after the constant of its attribute.
const (
	NoKey Key = iota
	KeyGenAIOperationName
	KeyGenAIProviderName
	KeyGenAISystem
	KeyGenAIRequestModel
	KeyGenAIRequestStream
	KeyGenAIResponseModel
	KeyGenAIResponseID
	KeyGenAIFinishReasons
	KeyGenAITimeToFirstChunk
	KeyGenAIInputTokens
	KeyGenAIPromptTokens
	KeyGenAIOutputTokens
	KeyGenAICompletionTokens
	KeyGenAITotalTokens
	KeyGenAICacheRead
	KeyGenAICacheReadOld
	KeyGenAICacheWrite
	KeyGenAICacheCreation
	KeyGenAICacheCreationOld
	KeyGenAIReasoning
	KeyGenAIReasoningTokens
	KeyGenAIReasoningDetails
	KeyGenAICost
	KeyGenAICostTotal
	KeyGenAIServiceTier
	KeyGenAIOpenAIServiceTier
	KeyOpenAIServiceTier
	KeyGenAIConversationID
	KeyGenAIDataSourceID
	KeyGenAIRetrievalDocuments
	KeyGenAIRetrievalQuery
	KeyGenAIInputMessages
	KeyGenAIOutputMessages
	KeyGenAISystemInstructions
	KeyGenAIPrompt
	KeyGenAICompletion
	KeyGenAIToolName
	KeyGenAIToolCallID
	KeyGenAIToolDefinitions
	KeyGenAIAgentName
	KeyGenAIWorkflowName
	KeyGenAITokenType
	KeyGenAIEvaluationName
	KeyGenAIEvaluationScore
	KeyGenAIEvaluationLabel
	KeyGenAIEvaluationExplanation
	KeyGenAIUser
	KeyOISpanKind
	KeyOIInputValue
	KeyOIOutputValue
	KeyOIMetadata
	KeyOISessionID
	KeyOIModelName
	KeyOIRequestModelName
	KeyOIResponseModelName
	KeyOIProvider
	KeyOISystem
	KeyOIInvocationParameters
	KeyOIFinishReason
	KeyOIPromptTokens
	KeyOICompletionTokens
	KeyOITotalTokens
	KeyOICacheRead
	KeyOICacheWrite
	KeyOICacheInput
	KeyOIReasoning
	KeyOICostTotal
	KeyOIEmbeddingModelName
	KeyOIRerankerModelName
	KeyOIToolName
	KeyOIDocuments
	KeyTLSpanKind
	KeyTLEntityName
	KeyTLEntityInput
	KeyTLEntityOutput
	KeyTLWorkflowName
	KeyTLRequestType
	KeyTLIsStreaming
	KeyTLGenAIIsStreaming
	KeyTLUsagePromptTokens
	KeyTLUsageCompletionTokens
	KeyTLUsageTotalTokens
	KeyTLAssociatedModel
	KeyTLAssociatedProvider
	KeyLSSpanKind
	KeyLSSpanID
	KeyLSTraceID
	KeyLSParentID
	KeyLSTraceName
	KeyLSProject
	KeyLSIsRoot
	KeyLSUsageMetadata
	KeyLSInputTokenDetails
	KeyLSOutputTokenDetails
	KeyLSModelName
	KeyLSProvider
	KeyLSModelType
	KeyLSMetaUsage
	KeyLSMetaSessionID
	KeyLSMetaThreadID
	KeyLSMetaConversationID
	KeyLSMetaUserID
	KeyLSRequestStreaming
	KeyAIOperationID
	KeyAIModelID
	KeyAIModelProvider
	KeyAIResponseModel
	KeyAIFinishReason
	KeyAIMsToFirstChunk
	KeyAIUsageTokens
	KeyAIPromptTokens
	KeyAICompletionTokens
	KeyAIInputTokens
	KeyAIOutputTokens
	KeyAITotalTokens
	KeyAICachedInputTokens
	KeyAIReasoningTokens
	KeyAIDetailsCacheRead
	KeyAIDetailsCacheWrite
	KeyAIDetailsReasoning
	KeyAIToolCallName
	KeyLFObservationType
	KeyLFModelName
	KeyLFUsageDetails
	KeyLFCostDetails
	KeyLFOutput
	KeyLFSessionID
	KeyLFUserID
	KeyLFCompletionStart
	KeyDBSystemName
	KeyDBSystem
	KeyDBOperationName
	KeyDBOperation
	KeyDBCollectionName
	KeyDBNamespace
	KeyDBName
	KeyDBReturnedRows
	KeyDBVectorTopK
	KeyDBVectorResultCount
	KeyDBVectorTopScore
	KeyDBVectorTopDistance
	KeyDBVectorMetric
	KeyDBVectorDistanceMetric
	KeyDBSearchMetric
	KeyDBQueryResultScore
	KeyDBQueryResultDistance
	KeyDBSearchResultScore
	KeyDBSearchResultDistance
	KeyServiceName
	KeyErrorType
	KeyExceptionType
	KeyHTTPStatusCode
	KeyHTTPStatusCodeOld
	KeyHTTPRoute
	KeyHTTPTarget
	KeyHTTPScheme
	KeyHTTPURL
	KeyURLScheme
	KeyURLPath
	KeyURLFull
	KeyNetworkProtocolName
	KeyUserID
	KeyEndUserID
	KeyEventName
	KeyTreqSpanKind
	KeyTreqCacheHit
	KeyTreqRunID
	KeyTreqSuccess
	KeyTreqDurationMS
	KeyTreqRAGUsed
	KeyTreqRAGFound
	KeyTreqLLMTokens
	KeyTreqSimilarity
	KeyTreqDocuments
	KeyTreqTimeToFirstTokenMS
	KeyTreqFeedbackKey
	KeyTreqFeedbackScore
	KeyTreqFeedbackComment
	KeyTreqFeedbackSource

	// Families of indexed names. Index gives the number that stands in them.

	// KeyOIDocument is any retrieval.documents.N.… that is neither of the two below.
	KeyOIDocument
	// KeyOIDocumentScore is retrieval.documents.N.document.score.
	KeyOIDocumentScore
	// KeyOIDocumentMetadata is retrieval.documents.N.document.metadata.
	KeyOIDocumentMetadata
	// KeyOIRerankedDocument is any reranker.output_documents.N.….
	KeyOIRerankedDocument
	// KeyOIRerankInput is any reranker.input_documents.N.….
	KeyOIRerankInput
	// KeyTLFinishReason is gen_ai.completion.N.finish_reason.
	KeyTLFinishReason
	// KeyFirstTokenSeconds is any name of a dialect that ends in time_to_first_token
	// or time_to_first_chunk, or these with _s or _seconds.
	KeyFirstTokenSeconds
	// KeyFirstTokenMillis is the same with _ms or _milliseconds.
	KeyFirstTokenMillis
	// KeyFirstTokenNanos is the same with _ns or _nanoseconds.
	KeyFirstTokenNanos
)

// keyCount is the number of keys, NoKey included.
const keyCount = int(KeyFirstTokenNanos) + 1

var keyNames = [...]string{
	KeyGenAIOperationName:         GenAIOperationName,
	KeyGenAIProviderName:          GenAIProviderName,
	KeyGenAISystem:                GenAISystem,
	KeyGenAIRequestModel:          GenAIRequestModel,
	KeyGenAIRequestStream:         GenAIRequestStream,
	KeyGenAIResponseModel:         GenAIResponseModel,
	KeyGenAIResponseID:            GenAIResponseID,
	KeyGenAIFinishReasons:         GenAIFinishReasons,
	KeyGenAITimeToFirstChunk:      GenAITimeToFirstChunk,
	KeyGenAIInputTokens:           GenAIInputTokens,
	KeyGenAIPromptTokens:          GenAIPromptTokens,
	KeyGenAIOutputTokens:          GenAIOutputTokens,
	KeyGenAICompletionTokens:      GenAICompletionTokens,
	KeyGenAITotalTokens:           GenAITotalTokens,
	KeyGenAICacheRead:             GenAICacheRead,
	KeyGenAICacheReadOld:          GenAICacheReadOld,
	KeyGenAICacheWrite:            GenAICacheWrite,
	KeyGenAICacheCreation:         GenAICacheCreation,
	KeyGenAICacheCreationOld:      GenAICacheCreationOld,
	KeyGenAIReasoning:             GenAIReasoning,
	KeyGenAIReasoningTokens:       GenAIReasoningTokens,
	KeyGenAIReasoningDetails:      GenAIReasoningDetails,
	KeyGenAICost:                  GenAICost,
	KeyGenAICostTotal:             GenAICostTotal,
	KeyGenAIServiceTier:           GenAIServiceTier,
	KeyGenAIOpenAIServiceTier:     GenAIOpenAIServiceTier,
	KeyOpenAIServiceTier:          OpenAIServiceTier,
	KeyGenAIConversationID:        GenAIConversationID,
	KeyGenAIDataSourceID:          GenAIDataSourceID,
	KeyGenAIRetrievalDocuments:    GenAIRetrievalDocuments,
	KeyGenAIRetrievalQuery:        GenAIRetrievalQuery,
	KeyGenAIInputMessages:         GenAIInputMessages,
	KeyGenAIOutputMessages:        GenAIOutputMessages,
	KeyGenAISystemInstructions:    GenAISystemInstructions,
	KeyGenAIPrompt:                GenAIPrompt,
	KeyGenAICompletion:            GenAICompletion,
	KeyGenAIToolName:              GenAIToolName,
	KeyGenAIToolCallID:            GenAIToolCallID,
	KeyGenAIToolDefinitions:       GenAIToolDefinitions,
	KeyGenAIAgentName:             GenAIAgentName,
	KeyGenAIWorkflowName:          GenAIWorkflowName,
	KeyGenAITokenType:             GenAITokenType,
	KeyGenAIEvaluationName:        GenAIEvaluationName,
	KeyGenAIEvaluationScore:       GenAIEvaluationScore,
	KeyGenAIEvaluationLabel:       GenAIEvaluationLabel,
	KeyGenAIEvaluationExplanation: GenAIEvaluationExplanation,
	KeyGenAIUser:                  GenAIUser,
	KeyOISpanKind:                 OISpanKind,
	KeyOIInputValue:               OIInputValue,
	KeyOIOutputValue:              OIOutputValue,
	KeyOIMetadata:                 OIMetadata,
	KeyOISessionID:                OISessionID,
	KeyOIModelName:                OIModelName,
	KeyOIRequestModelName:         OIRequestModelName,
	KeyOIResponseModelName:        OIResponseModelName,
	KeyOIProvider:                 OIProvider,
	KeyOISystem:                   OISystem,
	KeyOIInvocationParameters:     OIInvocationParameters,
	KeyOIFinishReason:             OIFinishReason,
	KeyOIPromptTokens:             OIPromptTokens,
	KeyOICompletionTokens:         OICompletionTokens,
	KeyOITotalTokens:              OITotalTokens,
	KeyOICacheRead:                OICacheRead,
	KeyOICacheWrite:               OICacheWrite,
	KeyOICacheInput:               OICacheInput,
	KeyOIReasoning:                OIReasoning,
	KeyOICostTotal:                OICostTotal,
	KeyOIEmbeddingModelName:       OIEmbeddingModelName,
	KeyOIRerankerModelName:        OIRerankerModelName,
	KeyOIToolName:                 OIToolName,
	KeyOIDocuments:                OIDocuments,
	KeyTLSpanKind:                 TLSpanKind,
	KeyTLEntityName:               TLEntityName,
	KeyTLEntityInput:              TLEntityInput,
	KeyTLEntityOutput:             TLEntityOutput,
	KeyTLWorkflowName:             TLWorkflowName,
	KeyTLRequestType:              TLRequestType,
	KeyTLIsStreaming:              TLIsStreaming,
	KeyTLGenAIIsStreaming:         TLGenAIIsStreaming,
	KeyTLUsagePromptTokens:        TLUsagePromptTokens,
	KeyTLUsageCompletionTokens:    TLUsageCompletionTokens,
	KeyTLUsageTotalTokens:         TLUsageTotalTokens,
	KeyTLAssociatedModel:          TLAssociatedModel,
	KeyTLAssociatedProvider:       TLAssociatedProvider,
	KeyLSSpanKind:                 LSSpanKind,
	KeyLSSpanID:                   LSSpanID,
	KeyLSTraceID:                  LSTraceID,
	KeyLSParentID:                 LSParentID,
	KeyLSTraceName:                LSTraceName,
	KeyLSProject:                  LSProject,
	KeyLSIsRoot:                   LSIsRoot,
	KeyLSUsageMetadata:            LSUsageMetadata,
	KeyLSInputTokenDetails:        LSInputTokenDetails,
	KeyLSOutputTokenDetails:       LSOutputTokenDetails,
	KeyLSModelName:                LSModelName,
	KeyLSProvider:                 LSProvider,
	KeyLSModelType:                LSModelType,
	KeyLSMetaUsage:                LSMetaUsage,
	KeyLSMetaSessionID:            LSMetaSessionID,
	KeyLSMetaThreadID:             LSMetaThreadID,
	KeyLSMetaConversationID:       LSMetaConversationID,
	KeyLSMetaUserID:               LSMetaUserID,
	KeyLSRequestStreaming:         LSRequestStreaming,
	KeyAIOperationID:              AIOperationID,
	KeyAIModelID:                  AIModelID,
	KeyAIModelProvider:            AIModelProvider,
	KeyAIResponseModel:            AIResponseModel,
	KeyAIFinishReason:             AIFinishReason,
	KeyAIMsToFirstChunk:           AIMsToFirstChunk,
	KeyAIUsageTokens:              AIUsageTokens,
	KeyAIPromptTokens:             AIPromptTokens,
	KeyAICompletionTokens:         AICompletionTokens,
	KeyAIInputTokens:              AIInputTokens,
	KeyAIOutputTokens:             AIOutputTokens,
	KeyAITotalTokens:              AITotalTokens,
	KeyAICachedInputTokens:        AICachedInputTokens,
	KeyAIReasoningTokens:          AIReasoningTokens,
	KeyAIDetailsCacheRead:         AIDetailsCacheRead,
	KeyAIDetailsCacheWrite:        AIDetailsCacheWrite,
	KeyAIDetailsReasoning:         AIDetailsReasoning,
	KeyAIToolCallName:             AIToolCallName,
	KeyLFObservationType:          LFObservationType,
	KeyLFModelName:                LFModelName,
	KeyLFUsageDetails:             LFUsageDetails,
	KeyLFCostDetails:              LFCostDetails,
	KeyLFOutput:                   LFOutput,
	KeyLFSessionID:                LFSessionID,
	KeyLFUserID:                   LFUserID,
	KeyLFCompletionStart:          LFCompletionStart,
	KeyDBSystemName:               DBSystemName,
	KeyDBSystem:                   DBSystem,
	KeyDBOperationName:            DBOperationName,
	KeyDBOperation:                DBOperation,
	KeyDBCollectionName:           DBCollectionName,
	KeyDBNamespace:                DBNamespace,
	KeyDBName:                     DBName,
	KeyDBReturnedRows:             DBReturnedRows,
	KeyDBVectorTopK:               DBVectorTopK,
	KeyDBVectorResultCount:        DBVectorResultCount,
	KeyDBVectorTopScore:           DBVectorTopScore,
	KeyDBVectorTopDistance:        DBVectorTopDistance,
	KeyDBVectorMetric:             DBVectorMetric,
	KeyDBVectorDistanceMetric:     DBVectorDistanceMetric,
	KeyDBSearchMetric:             DBSearchMetric,
	KeyDBQueryResultScore:         DBQueryResultScore,
	KeyDBQueryResultDistance:      DBQueryResultDistance,
	KeyDBSearchResultScore:        DBSearchResultScore,
	KeyDBSearchResultDistance:     DBSearchResultDistance,
	KeyServiceName:                ServiceName,
	KeyErrorType:                  ErrorType,
	KeyExceptionType:              ExceptionType,
	KeyHTTPStatusCode:             HTTPStatusCode,
	KeyHTTPStatusCodeOld:          HTTPStatusCodeOld,
	KeyHTTPRoute:                  HTTPRoute,
	KeyHTTPTarget:                 HTTPTarget,
	KeyHTTPScheme:                 HTTPScheme,
	KeyHTTPURL:                    HTTPURL,
	KeyURLScheme:                  URLScheme,
	KeyURLPath:                    URLPath,
	KeyURLFull:                    URLFull,
	KeyNetworkProtocolName:        NetworkProtocolName,
	KeyUserID:                     UserID,
	KeyEndUserID:                  EndUserID,
	KeyEventName:                  EventName,
	KeyTreqSpanKind:               TreqSpanKind,
	KeyTreqCacheHit:               TreqCacheHit,
	KeyTreqRunID:                  TreqRunID,
	KeyTreqSuccess:                TreqSuccess,
	KeyTreqDurationMS:             TreqDurationMS,
	KeyTreqRAGUsed:                TreqRAGUsed,
	KeyTreqRAGFound:               TreqRAGFound,
	KeyTreqLLMTokens:              TreqLLMTokens,
	KeyTreqSimilarity:             TreqSimilarity,
	KeyTreqDocuments:              TreqDocuments,
	KeyTreqTimeToFirstTokenMS:     TreqTimeToFirstTokenMS,
	KeyTreqFeedbackKey:            TreqFeedbackKey,
	KeyTreqFeedbackScore:          TreqFeedbackScore,
	KeyTreqFeedbackComment:        TreqFeedbackComment,
	KeyTreqFeedbackSource:         TreqFeedbackSource,
}
