// Package langsmith reads LangSmith's own run protocol: what its SDKs post to
// /runs/multipart, /runs/batch and /runs. A request becomes operations on runs,
// operations on one run merge in whatever order they come, and a run that has
// ended becomes an OTLP span that says the same as the SDK's own OTLP exporter
// would have said, under ids that follow from the run's.
//
// The package holds no state between calls and knows no log: who reads the runs
// out of the log is telemetry/merger.
package langsmith
