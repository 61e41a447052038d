// Package ingest is the doors for OTLP, over HTTP and over gRPC, in protobuf and
// in JSON, compressed or not, and the door for LangSmith's own run protocol. A door limits what comes in, checks it, makes
// OTLP protobuf of it, appends it to the log, and answers when it is kept.
//
// Nothing is decoded into objects: a body is read once into a pooled buffer,
// checked in place and handed on as it came, compressed where it came
// compressed. Who is allowed is decided before the body is read, how much may
// come in before memory is taken for it.
//
// The doors are specified in docs/api.md, section 3.
package ingest
