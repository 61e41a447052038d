// Package check holds every file of deploy/ and the release to the program that
// reads it: manifests to the types of Kubernetes and of the Prometheus Operator,
// the chart to Helm, compose files to Compose's loader, the release to
// GoReleaser's. It is a module of its own, since those are many times the product.
package check
