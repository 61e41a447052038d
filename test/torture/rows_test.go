package torture

// scorecard lists the rows in the order they run.
func scorecard(exact *exactness) []row {
	return []row{
		{
			id: "S1", promise: true, test: "kill -9 at random moments of ingest, sink healthy",
			required: "200 kills: 0 lost, 0 altered, at most 2 % delivered twice", collector: "0 lost, 4.6 % twice",
			run: killUnderLoad(exact),
		},
		{
			id: "S2", promise: true, test: "kill -9 during recovery, sink down",
			required: "300 kills: 0 lost", collector: "80 to 270 lost; with fsync 440",
			run: killWhileStarting(exact),
		},
		{
			id: "S3", promise: true, test: "power cut at any call to the file system",
			required: "2,000 points: 0 lost, every start succeeds", collector: "no fsync by default",
			run: powerCuts,
		},
		{
			id: "S4", promise: true, test: "sink down for a while at 200 spans/s, then back",
			required: "10 min (a minute in CI): 0 lost, 0 refused, drained at 1,000 spans/s, order kept, RSS below +20 MB", collector: "200 lost and 172 refused by default",
			run: sinkDown(exact),
		},
		{
			id: "S5", test: "every answer a sink may give",
			required: "each as documented; sent + waiting + dead-lettered + expired = admitted", collector: "413 dropped, partial success only logged",
			run: faultMatrix,
		},
		{
			id: "S6", test: "disk full and free again (48 MiB)",
			required: "503 with Retry-After, not ready, documents served, back within 5 s without a restart, 0 lost", collector: "0 lost, no Retry-After",
			run: diskFull(exact),
		},
		{
			id: "S7", promise: true, test: "damaged files at a start",
			required: "300 mutations: starts within 3 s every time, only what was hit is lost, 0 altered", collector: "3 of 9 never serve, one altered id delivered",
			run: corrupt,
		},
		{
			id: "S8", promise: true, test: "more at once than the doors hold, clients that come again",
			required: "503 with Retry-After 1 to 30, 0 admitted spans lost, nothing counted twice", collector: "no Retry-After, counted 3 times",
			run: noRoom(exact),
		},
		{
			id: "S8b", test: "the journal's bound reached while the sink is down",
			required: "0 refused; what expires for the sink is counted to the span; totals exact",
			run:      journalFull(exact),
		},
		{
			id: "S10", test: "one of two sinks hangs",
			required: "p99 of ingest +10 %, the other sink less than 2 s behind, totals exact", collector: "sinks are coupled",
			run: isolation(exact),
		},
		{
			id: "S11", test: "SIGTERM under load, the sink healthy, refusing, 503 or hanging",
			required: "10 each: exit within 10 s, code 0, 0 lost", collector: "29.6 s when hanging, logs a loss that is none",
			run: terminate(exact),
		},
		{
			id: "S12", test: "settings read again under load",
			required: "100 times: 0 connections refused, 0 lost, a bad file changes nothing and says so", collector: "557 requests failed in 30",
			run: reloads(exact),
		},
		{
			id: "S13", promise: true, test: "compressed requests of 10 GiB, alone and 64 at once",
			required: "each refused, peak RSS at most +128 MiB, good traffic unharmed", collector: "618 MiB at 16 at once",
			run: bombs,
		},
		{
			id: "S14", promise: true, test: "deep and wide requests, protobuf and JSON, plain and gzip",
			required: "to 2,000,000 levels, 1,000,000 of each, texts of 60 MiB: no exit, 2 s of CPU each, peak RSS +256 MiB", collector: "exits at 1.5 million levels",
			run: deepAndWide,
		},
		{
			id: "S15", test: "clients that drip or say nothing",
			required: "8,000 connections: all closed within 30 s, good traffic unharmed", collector: "all open after 170 s",
			run: slowClients,
		},
		{
			id: "S16", test: "model and service names that never repeat",
			required: "1,000,000 names: RSS +64 MiB, 2,000 series a metric, totals exact, scrape within 500 ms and 5 MB", collector: "937 MB at 500,000",
			run: cardinality,
		},
		{
			id: "S17", test: "hostile numbers in every place that is counted",
			required: "200 cases: no NaN, infinite or negative number shown",
			run:      numbers,
		},
		{
			id: "S18", promise: true, test: "OTLP 1.11's rules for servers over HTTP protobuf, JSON and gRPC",
			required: "150 cases: all hold", collector: "R3, R9 and R10 do not",
			run: conformance,
		},
		{
			id: "S19", test: "what is no request, and what hardly is one",
			required: "318 JSON files, 10,000 mutated protobufs: 200 or 4xx, none slower than 1 s",
			run:      malformed,
		},
		{
			id: "S21", test: "start and stop in one process",
			required: "1,000 times: goroutines and files ±2, heap below +5 MB",
			run:      cycles,
		},
		{
			id: "S22", test: "steady load with a sink that comes and goes",
			required: "an hour (2 min in CI): RSS flat (below 1 MB/h), files bounded, 0 lost",
			run:      soak(exact),
		},
		{
			id: "S23", test: "clocks that jump, here and at clients",
			required: "no panic, no negative duration, totals exact, windows right after 2 samplings",
			run:      skew,
		},
		{
			id: "S27", test: "secrets and prompts planted as canaries",
			required: "0 found in logs, documents, metrics, errors, goroutine dumps, settings and state files",
			run:      secrets,
		},
		{
			id: "S28", test: "every route by every caller, exposure",
			required: "as documented; decided before the body is read; --require-auth refuses",
			run:      callers,
		},
		{
			id: "S9", promise: true, test: "totals after all of the above",
			required: "equal to what was acknowledged, error 0", collector: "300 counted for 100",
			run: exact.run,
		},
	}
}
