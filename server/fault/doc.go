// Package fault turns errors into answers. One table says which HTTP status and
// which gRPC code a kind of error is; the writers say it in the form that the
// caller reads: application/problem+json for the JSON API, google.rpc.Status in
// the request's encoding for OTLP, and the 422 document of FastAPI for the
// guide's POSTs.
//
// What is answered when is specified in docs/api.md; the table of retryable
// answers is OTLP's (a 500 is never retried by its clients, a 503 always).
package fault
