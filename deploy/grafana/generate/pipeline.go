package main

var pipeline = board{
	uid:   "treq-pipeline",
	title: text{"Treq: o próprio pipeline", "Treq: the pipeline itself"},
	about: text{"O que entra, o que se entende, o que sai, e o que espera ou se perde.", "What comes in, what is understood, what leaves, and what waits or is lost."},
	panels: []panel{
		{
			title: text{"Espaço do diário", "Room of the journal"}, unit: "percentunit", single: true, width: 6, target: above(0.10),
			about:   text{"Parte do espaço que ainda resta. Sem espaço, as portas respondem 503.", "Share of the room that is left. Without any the doors answer 503."},
			queries: one("treq:journal_room_ratio"),
		},
		{
			title: text{"Ainda não contado", "Not counted yet"}, unit: "bytes", single: true, width: 6,
			about:   text{"Bytes do diário que ainda não entraram nos números.", "Bytes of the journal that are not in the numbers yet."},
			queries: one(sum("treq_journal_unread_bytes")),
		},
		{
			title: text{"Spans à espera do resto do trace", "Spans waiting for their trace"}, unit: "none", single: true, width: 6,
			about:   text{"Spans lidos cujo trace ainda não está completo.", "Spans that were read and whose trace is not whole yet."},
			queries: one(sum("treq_pipeline_open")),
		},
		{
			title: text{"Memória deste processo", "Memory of this process"}, unit: "bytes", single: true, width: 6,
			about:   text{"Memória que a treq-telemetry ocupa.", "Memory that treq-telemetry holds."},
			queries: one("process_memory_usage_bytes"),
		},
		{
			title: text{"Entrada por porta", "Received by door"}, unit: "short", width: 12, stack: true,
			about:   text{"Spans, pontos e registros por segundo.", "Spans, data points and log records a second."},
			queries: []query{by("treq_door}} {{treq_signal", sumBy("treq_door, treq_signal", rate("treq_pipeline_received_total")))},
		},
		{
			title: text{"Recusados", "Refused"}, unit: "reqps", width: 12, stack: true, target: below(0.01),
			about:   text{"Requests por segundo que uma porta recusou, por motivo.", "Requests a second that a door refused, by reason."},
			queries: []query{by("treq_door}} {{treq_reason", sumBy("treq_door, treq_reason", rate("treq_pipeline_refused_total")))},
		},
		{
			title: text{"O que foi feito dos spans", "What became of spans"}, unit: "short", width: 12, stack: true,
			about:   text{"Spans por segundo: registrados, dobrados, duplicados, não GenAI.", "Spans a second: recorded, folded, duplicate, not GenAI."},
			queries: []query{by("treq_disposition", sumBy("treq_disposition", rate(chosen("treq_pipeline_spans_total"))))},
		},
		{
			title: text{"Diário em disco", "Journal on disk"}, unit: "bytes", width: 12,
			about: text{"Bytes do diário, e o seu limite.", "Bytes of the journal, and its limit."},
			queries: []query{
				{sum("treq_journal_bytes"), text{"em disco", "on disk"}}, {sum("treq_journal_limit_bytes"), text{"limite", "limit"}},
			},
		},
		{
			title: text{"Enviados por destino", "Forwarded by sink"}, unit: "short", width: 12, stack: true,
			about:   text{"Spans por segundo que um destino aceitou.", "Spans a second that a sink accepted."},
			queries: []query{by("treq_sink", sumBy("treq_sink", rate("treq_pipeline_forwarded_total")))},
		},
		{
			title: text{"Atraso por destino", "Lag by sink"}, unit: "s", width: 12, target: below(300),
			about:   text{"Idade do registro mais antigo que espera. A linha é o alerta, 5 minutos.", "Age of the oldest record that waits. The line is the alert, 5 minutes."},
			queries: []query{by("treq_sink", "max by (treq_sink) (treq_pipeline_queue_age_seconds)")},
		},
		{
			title: text{"Fila por destino", "Queue by sink"}, unit: "none", width: 12,
			about:   text{"Spans que esperam por um destino.", "Spans that wait for a sink."},
			queries: []query{by("treq_sink", sumBy("treq_sink", "treq_pipeline_queue_spans"))},
		},
		{
			title: text{"Perdidos e repetidos", "Dropped and retried"}, unit: "short", width: 12, target: below(0.01),
			about: text{"Spans por segundo que um destino nunca receberá, por motivo, e requests repetidos.", "Spans a second that a sink will never get, by reason, and requests that were sent again."},
			queries: []query{
				by("treq_sink}} {{treq_reason", sumBy("treq_sink, treq_reason", rate("treq_pipeline_dropped_total"))),
				{sumBy("treq_sink", rate("treq_pipeline_retried_total")), text{"{{treq_sink}} repetidos", "{{treq_sink}} retried"}},
			},
		},
	},
}
