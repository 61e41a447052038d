package main

// overview is the guide's: how the assistant does, beside what is wanted of it.
var overview = board{
	uid:   "treq-overview",
	title: text{"Treq: visão geral", "Treq: overview"},
	about: text{"Os KPIs do guia de monitoramento com suas metas, e o curso de conversas, latência e erros.", "The KPIs of the monitoring guide with their targets, and the course of chats, latency and errors."},
	panels: []panel{
		kpi("Taxa de erro", "Error rate", "percentunit", "treq:error_ratio:1d", below(0.05), "Meta: abaixo de 5%", "Target: below 5%"),
		kpi("Taxa de sucesso", "Success rate", "percentunit", "treq:success_ratio:1d", above(0.95), "Meta: acima de 95%", "Target: above 95%"),
		kpi("Tempo médio de resposta", "Average response time", "ms", "treq:response_time_ms:1d", below(1000), "Meta: abaixo de 1000 ms", "Target: below 1000 ms"),
		kpi("Similaridade média", "Average similarity", "none", "treq:similarity:1d", above(0.60), "Meta: acima de 0,60", "Target: above 0.60"),
		kpi("Taxa de sucesso do RAG", "RAG success rate", "percentunit", "treq:rag_success_ratio:1d", above(0.90), "Meta: acima de 90%", "Target: above 90%"),
		kpi("Taxa de acerto do cache", "Cache hit rate", "percentunit", "treq:cache_hit_ratio:1d", above(0.30), "Meta: acima de 30%", "Target: above 30%"),
		kpi("Latência média (8B)", "Average latency (8B)", "ms", "treq:llm_latency_ms_family_8b:1d", below(800), "Meta: abaixo de 800 ms", "Target: below 800 ms"),
		kpi("Latência média (70B)", "Average latency (70B)", "ms", "treq:llm_latency_ms_family_70b:1d", below(1500), "Meta: abaixo de 1500 ms", "Target: below 1500 ms"),
		kpi("Tokens por request", "Tokens per request", "none", "treq:tokens_per_request:1d", below(1000), "Meta: abaixo de 1000", "Target: below 1000"),
		kpi("Custo em 24 h", "Cost in 24 h", "currencyUSD", "treq:cost_usd:1d", nil, "Custo conhecido das chamadas; veja a cobertura de preços", "Known cost of calls; see the coverage of prices"),
		kpi("Conversas em 24 h", "Chats in 24 h", "none", "treq:chats:1d", nil, "Todas as conversas, também as que falharam", "All chats, those that failed too"),
		{
			title: text{"Alertas disparados", "Alerts firing"}, unit: "none", single: true, width: 4, target: below(1),
			about:   text{"Quantos alertas estão disparados agora.", "How many alerts fire now."},
			queries: one(orZero(`count(ALERTS{alertstate="firing"})`)),
		},
		{
			title: text{"Conversas por segundo", "Chats per second"}, unit: "reqps", width: 12, stack: true,
			about:   text{"Conversas por resultado.", "Chats by outcome."},
			queries: []query{by("treq_outcome", sumBy("treq_outcome", rate(chosen(chats+"_count"))))},
		},
		{
			title: text{"Taxa de erro no tempo", "Error rate over time"}, unit: "percentunit", width: 12, target: below(0.05),
			about:   text{"Parte das conversas que falharam. A linha é a meta de 5%.", "Share of chats that failed. The line is the target of 5%."},
			queries: one(share(sum(rate(chosen(chats+"_count", `treq_outcome="failure"`))), sum(rate(chosen(chats+"_count"))))),
		},
		{
			title: text{"Tempo de resposta", "Response time"}, unit: "s", width: 12, target: below(1),
			about: text{"Tempo da pergunta ao fim da resposta: média, mediana e p95. A linha é a meta de 1000 ms.", "Time from the question to the end of the answer: mean, median and p95. The line is the target of 1000 ms."},
			queries: []query{
				{mean(chats), text{"média", "mean"}}, {quantile("0.5", chats), text{"mediana", "median"}}, {quantile("0.95", chats), text{"p95", "p95"}},
			},
		},
		{
			title: text{"Memória dos serviços", "Memory of services"}, unit: "bytes", width: 12, target: below(4000e6),
			about: text{"Memória do serviço monitorado, e deste processo. A linha é o alerta do guia, 4000 MB.", "Memory of the service that is watched, and of this process. The line is the guide's alert, 4000 MB."},
			queries: []query{
				by("service_name", chosen("reported_process_memory_usage_bytes")),
				{"process_memory_usage_bytes", text{"treq-telemetry", "treq-telemetry"}},
			},
		},
	},
}

// kpi shows one of the guide's figures of the last 24 hours beside its target.
func kpi(pt, en, unit, record string, t *target, aboutPT, aboutEN string) panel {
	return panel{
		title: text{pt, en}, about: text{aboutPT + ", nas últimas 24 horas, em todos os serviços.", aboutEN + ", over the last 24 hours and all services."},
		unit: unit, single: true, width: 4, target: t, queries: one(record),
	}
}
