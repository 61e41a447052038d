package understand

import "treq/telemetry/semconv"

// field is something a span may tell under several names.
type field uint8

const (
	noField field = iota
	fTreqKind
	fRunType
	fOIKind
	fLangfuseType
	fOperation
	fRequestType
	fAIOperation
	fTraceloopKind
	fDBSystem
	fDBOperation
	fVector
	fToolName
	fToolCall
	fRequestModel
	fModelName
	fRequestModel2
	fResponseModel
	fResponseModel2
	fEmbeddingModel
	fRerankerModel
	fProvider
	fInput
	fOutput
	fTotal
	fCacheRead
	fCacheWrite
	fReasoning
	fUsageJSON
	fCost
	fServiceTier
	fInputDetails
	fOutputDetails
	fFirstChunk
	fFirstChunkMS
	fStreaming
	fFinish
	fErrorType
	fExceptionType
	fHTTPStatus
	fScheme
	fURL
	fRoute
	fRunID
	fDataSource
	fCacheHit
	fDocuments
	fResultCount
	fTopScore
	fTopDistance
	fMetric
	fOutputJSON
	fInputJSON
	fParametersJSON
	fMetadataJSON
	fFirstChunkNS
	fFirstTokenAt
	fResponseID
	fCostJSON
	fieldCount
)

// readOrder gives the names of each field, the one that is believed first in
// front; docs/semantics.md, section 2.
var readOrder = [fieldCount][]semconv.Key{
	fTreqKind:      {semconv.KeyTreqSpanKind},
	fRunType:       {semconv.KeyLSSpanKind},
	fOIKind:        {semconv.KeyOISpanKind},
	fLangfuseType:  {semconv.KeyLFObservationType},
	fOperation:     {semconv.KeyGenAIOperationName},
	fRequestType:   {semconv.KeyTLRequestType},
	fAIOperation:   {semconv.KeyAIOperationID},
	fTraceloopKind: {semconv.KeyTLSpanKind},
	fDBSystem:      {semconv.KeyDBSystemName, semconv.KeyDBSystem},
	fDBOperation:   {semconv.KeyDBOperationName, semconv.KeyDBOperation},
	fVector:        {semconv.KeyDBVectorTopK},
	fToolName: {
		semconv.KeyGenAIToolName, semconv.KeyOIToolName, semconv.KeyAIToolCallName,
	},
	fToolCall:     {semconv.KeyGenAIToolCallID},
	fRequestModel: {semconv.KeyGenAIRequestModel, semconv.KeyOIRequestModelName},
	fModelName:    {semconv.KeyOIModelName},
	fRequestModel2: {
		semconv.KeyAIModelID, semconv.KeyLSModelName, semconv.KeyLFModelName, semconv.KeyTLAssociatedModel,
	},
	fResponseModel:  {semconv.KeyGenAIResponseModel, semconv.KeyOIResponseModelName},
	fResponseModel2: {semconv.KeyAIResponseModel},
	fEmbeddingModel: {semconv.KeyOIEmbeddingModelName},
	fRerankerModel:  {semconv.KeyOIRerankerModelName},
	fProvider: {
		semconv.KeyGenAIProviderName, semconv.KeyOIProvider, semconv.KeyGenAISystem,
		semconv.KeyOISystem, semconv.KeyAIModelProvider, semconv.KeyLSProvider,
		semconv.KeyTLAssociatedProvider,
	},
	fInput: {
		semconv.KeyGenAIInputTokens, semconv.KeyGenAIPromptTokens, semconv.KeyOIPromptTokens,
		semconv.KeyTLUsagePromptTokens, semconv.KeyAIInputTokens, semconv.KeyAIPromptTokens,
	},
	fOutput: {
		semconv.KeyGenAIOutputTokens, semconv.KeyGenAICompletionTokens, semconv.KeyOICompletionTokens,
		semconv.KeyTLUsageCompletionTokens, semconv.KeyAIOutputTokens, semconv.KeyAICompletionTokens,
	},
	fTotal: {
		semconv.KeyGenAITotalTokens, semconv.KeyTLUsageTotalTokens, semconv.KeyOITotalTokens,
		semconv.KeyAITotalTokens, semconv.KeyAIUsageTokens,
	},
	fCacheRead: {
		semconv.KeyGenAICacheRead, semconv.KeyGenAICacheReadOld, semconv.KeyOICacheRead,
		semconv.KeyOICacheInput, semconv.KeyAICachedInputTokens, semconv.KeyAIDetailsCacheRead,
	},
	fCacheWrite: {
		semconv.KeyGenAICacheWrite, semconv.KeyGenAICacheCreation, semconv.KeyGenAICacheCreationOld,
		semconv.KeyOICacheWrite, semconv.KeyAIDetailsCacheWrite,
	},
	fReasoning: {
		semconv.KeyGenAIReasoning, semconv.KeyGenAIReasoningTokens, semconv.KeyGenAIReasoningDetails,
		semconv.KeyOIReasoning, semconv.KeyAIReasoningTokens, semconv.KeyAIDetailsReasoning,
	},
	fCost:     {semconv.KeyGenAICost, semconv.KeyOICostTotal, semconv.KeyGenAICostTotal},
	fCostJSON: {semconv.KeyLFCostDetails},
	fServiceTier: {
		semconv.KeyGenAIServiceTier, semconv.KeyOpenAIServiceTier, semconv.KeyGenAIOpenAIServiceTier,
	},
	fUsageJSON:     {semconv.KeyLSUsageMetadata, semconv.KeyLSMetaUsage, semconv.KeyLFUsageDetails},
	fInputDetails:  {semconv.KeyLSInputTokenDetails},
	fOutputDetails: {semconv.KeyLSOutputTokenDetails},
	fFirstChunk:    {semconv.KeyGenAITimeToFirstChunk, semconv.KeyFirstTokenSeconds},
	fFirstChunkMS:  {semconv.KeyAIMsToFirstChunk, semconv.KeyTreqTimeToFirstTokenMS, semconv.KeyFirstTokenMillis},
	fFirstChunkNS:  {semconv.KeyFirstTokenNanos},
	fFirstTokenAt:  {semconv.KeyLFCompletionStart},
	fStreaming: {
		semconv.KeyGenAIRequestStream, semconv.KeyTLGenAIIsStreaming, semconv.KeyTLIsStreaming,
		semconv.KeyLSRequestStreaming,
	},
	fFinish: {
		semconv.KeyGenAIFinishReasons, semconv.KeyOIFinishReason, semconv.KeyAIFinishReason,
		semconv.KeyTLFinishReason,
	},
	fErrorType:     {semconv.KeyErrorType},
	fExceptionType: {semconv.KeyExceptionType},
	fHTTPStatus:    {semconv.KeyHTTPStatusCode, semconv.KeyHTTPStatusCodeOld},
	fScheme:        {semconv.KeyURLScheme, semconv.KeyHTTPScheme, semconv.KeyNetworkProtocolName},
	fURL:           {semconv.KeyURLFull, semconv.KeyHTTPURL},
	fRoute:         {semconv.KeyHTTPRoute},
	fRunID:         {semconv.KeyLSSpanID, semconv.KeyTreqRunID},
	fResponseID:    {semconv.KeyGenAIResponseID},
	fDataSource: {
		semconv.KeyGenAIDataSourceID, semconv.KeyDBCollectionName, semconv.KeyDBNamespace, semconv.KeyDBName,
	},
	fCacheHit:    {semconv.KeyTreqCacheHit},
	fDocuments:   {semconv.KeyGenAIRetrievalDocuments, semconv.KeyOIDocuments},
	fResultCount: {semconv.KeyDBVectorResultCount, semconv.KeyDBReturnedRows},
	fTopScore:    {semconv.KeyDBVectorTopScore},
	fTopDistance: {semconv.KeyDBVectorTopDistance},
	fMetric: {
		semconv.KeyDBVectorMetric, semconv.KeyDBVectorDistanceMetric, semconv.KeyDBSearchMetric,
	},
	fOutputJSON: {
		semconv.KeyTLEntityOutput, semconv.KeyOIOutputValue, semconv.KeyGenAICompletion,
		semconv.KeyLFOutput,
	},
	fInputJSON: {
		semconv.KeyGenAIPrompt, semconv.KeyOIInputValue, semconv.KeyTLEntityInput,
	},
	fParametersJSON: {semconv.KeyOIInvocationParameters},
	fMetadataJSON:   {semconv.KeyOIMetadata},
}

// place says which field a key tells, and how much it is believed there.
type place struct {
	field field
	rank  uint8
}

var places = invert(&readOrder)

func invert(order *[fieldCount][]semconv.Key) (t [256]place) {
	for f, keys := range order {
		for i, k := range keys {
			t[k] = place{field(f), uint8(len(keys) - i)}
		}
	}
	return t
}

// figure says of which spans a field is read that differs from span to span.
type figure uint8

const (
	aWord      figure = iota // it does not differ: one of a few values
	ofAny                    // of all
	ofGenAI                  // of those of a GenAI kind
	ofModels                 // of calls of models
	ofSearches               // of searches
	ofWhole                  // only when all of a span is read
)

// figureOf has the figure of each field. Content, numbers and ids are figures; what
// is a word and nevertheless never the same costs its spans the short way alone.
var figureOf = [fieldCount]figure{
	fRunID: ofAny, fURL: ofAny,
	// That they are there says what kind the span is.
	fToolCall: ofAny, fResultCount: ofAny, fTopScore: ofAny, fTopDistance: ofAny,
	fOutputJSON: ofGenAI,
	fInput:      ofModels, fOutput: ofModels, fTotal: ofModels, fCacheRead: ofModels, fCacheWrite: ofModels,
	fReasoning: ofModels, fUsageJSON: ofModels, fInputDetails: ofModels, fOutputDetails: ofModels, fCost: ofModels, fCostJSON: ofModels,
	fFirstChunk: ofModels, fFirstChunkMS: ofModels, fFirstChunkNS: ofModels, fFirstTokenAt: ofModels,
	fParametersJSON: ofModels, fResponseID: ofModels,
	fDocuments: ofSearches, fMetric: ofSearches,
	fInputJSON: ofWhole, fMetadataJSON: ofWhole,
}

// readOf tells whether such a field of a span of a kind is read again.
func (f figure) readOf(k semconv.Kind) bool {
	switch f {
	case ofAny:
		return true
	case ofGenAI:
		return k != semconv.KindOther
	case ofModels:
		return isModel(k)
	case ofSearches:
		return isSearch(k)
	}
	return false
}
