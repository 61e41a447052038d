package semconv

// Attributes of vector stores: the database conventions, stable and legacy, and
// what instrumentations of vector stores add.
const (
	DBSystemName           = "db.system.name"
	DBSystem               = "db.system"
	DBOperationName        = "db.operation.name"
	DBOperation            = "db.operation"
	DBCollectionName       = "db.collection.name"
	DBNamespace            = "db.namespace"
	DBName                 = "db.name"
	DBReturnedRows         = "db.response.returned_rows"
	DBVectorTopK           = "db.vector.query.top_k"
	DBVectorResultCount    = "db.vector.query.result_count"
	DBVectorTopScore       = "db.vector.query.top_score"
	DBVectorTopDistance    = "db.vector.query.top_distance"
	DBVectorMetric         = "db.vector.query.metric"
	DBVectorDistanceMetric = "db.vector.query.distance_metric"
	DBSearchMetric         = "db.search.metric"
	DBQueryResultScore     = "db.query.result.score"
	DBQueryResultDistance  = "db.query.result.distance"
	DBSearchResultScore    = "db.search.result.score"
	DBSearchResultDistance = "db.search.result.distance"
)

// The names of the span events by which vector stores tell what they returned.
const (
	EventDBQueryResult  = "db.query.result"
	EventDBSearchResult = "db.search.result"
)
