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
			id: "S5", test: "every answer a sink may give",
			required: "each as documented; sent + waiting + dead-lettered + expired = admitted", collector: "413 dropped, partial success only logged",
			run: faultMatrix,
		},
		{
			id: "S9", promise: true, test: "totals after all of the above",
			required: "equal to what was acknowledged, error 0", collector: "300 counted for 100",
			run: exact.run,
		},
	}
}
