// Package api is the JSON API: the documents and the posts of the monitoring
// guide, the process's probes, and what stands in front of all HTTP on the one
// port: which hosts are served, which origins may read and write, who may post.
//
// It renders what others measured. A post becomes log records in the journal and
// is answered when they are counted. The addresses and what each answers are
// specified in docs/api.md; all of them stand in Routes.
package api
