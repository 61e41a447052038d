// Package recorded holds what real clients sent: OTLP requests and native runs of
// instrumented applications, recorded on a loopback address against a fake model
// and an in-memory vector store, each with the truth that the fakes counted while
// they were called.
//
// A case is a directory under cases/: case.json says which client made it, what
// really happened and what the payload cannot tell; request-NN.json holds one
// recorded OTLP request as OTLP/JSON, request-NN.txt one request of LangSmith's
// native protocol, decompressed. "make fixtures" records them all again
// (record.sh, manifest.json, clients/, record/).
//
// Ids and times are as the clients sent them. Only paths of the machine that
// recorded were replaced.
package recorded
