package main

var models = board{
	uid:   "treq-models",
	title: text{"Treq: modelos e custo", "Treq: models and cost"},
	about: text{"Chamadas aos modelos: quantas, quão rápidas, quantos tokens e quanto custam.", "Calls to models: how many, how fast, how many tokens and at what cost."},
	panels: []panel{
		share1d("8B", "treq:call_share_family_8b:1d", "60%"),
		share1d("70B", "treq:call_share_family_70b:1d", "30%"),
		share1d("GLM-4", "treq:call_share_family_glm4:1d", "10%"),
		{
			title: text{"Cobertura de preços", "Price coverage"}, unit: "percentunit", single: true, width: 6, target: above(0.95),
			about:   text{"Parte dos tokens cujo custo é conhecido, por serviço. Meta: acima de 95%.", "Share of tokens whose cost is known, by service. Target: above 95%."},
			queries: []query{by("service_name", chosen("treq_llm_price_coverage_ratio"))},
		},
		{
			title: text{"Chamadas por modelo", "Calls by model"}, unit: "reqps", width: 12, stack: true,
			about:   text{"Chamadas por segundo a modelos de linguagem.", "Calls a second to language models."},
			queries: []query{by("gen_ai_response_model", sumBy("gen_ai_response_model", rate(chosen(calls+"_count", languageModels))))},
		},
		{
			title: text{"Erros por tipo", "Errors by type"}, unit: "reqps", width: 12, stack: true,
			about:   text{"Chamadas por segundo que falharam, por modelo e tipo de erro.", "Calls a second that failed, by model and type of error."},
			queries: []query{by("gen_ai_response_model}} {{error_type", sumBy("gen_ai_response_model, error_type", rate(chosen(calls+"_count", `error_type!=""`))))},
		},
		{
			title: text{"Latência média por modelo", "Average latency by model"}, unit: "s", width: 12, target: below(2),
			about:   text{"A linha é o alerta do guia, 2000 ms.", "The line is the guide's alert, 2000 ms."},
			queries: []query{by("gen_ai_response_model", meanBy("gen_ai_response_model", calls, languageModels))},
		},
		{
			title: text{"Tempo até o primeiro token", "Time to first token"}, unit: "s", width: 12,
			about: text{"Das chamadas em streaming: mediana e p95.", "Of streamed calls: median and p95."},
			queries: []query{
				{quantile("0.5", firstToken), text{"mediana", "median"}}, {quantile("0.95", firstToken), text{"p95", "p95"}},
			},
		},
		{
			title: text{"Tokens por tipo", "Tokens by kind"}, unit: "short", width: 12, stack: true,
			about:   text{"Tokens por segundo, por tipo: entrada, cache, saída, raciocínio.", "Tokens a second, by kind: input, cache, output, reasoning."},
			queries: []query{by("treq_token_kind", sumBy("treq_token_kind", rate(chosen("treq_llm_tokens_total"))))},
		},
		{
			title: text{"Custo por hora", "Cost per hour"}, unit: "currencyUSD", width: 12, stack: true,
			about:   text{"Custo conhecido por modelo, projetado para uma hora.", "Known cost by model, projected to an hour."},
			queries: []query{by("gen_ai_response_model", "3600 * "+sumBy("gen_ai_response_model", rate(chosen("treq_llm_cost_USD_total"))))},
		},
		{
			title: text{"Custo por conversa", "Cost per chat"}, unit: "currencyUSD", width: 12,
			about:   text{"Custo conhecido das conversas, dividido pelo seu número.", "Known cost of chats, divided by their number."},
			queries: one(share(sum(rate(chosen("treq_chat_cost_USD_total"))), sum(rate(chosen(chats+"_count"))))),
		},
		{
			title: text{"Streams por fim", "Streams by end"}, unit: "reqps", width: 12, stack: true,
			about:   text{"Chamadas em streaming por segundo, segundo o modo como terminaram.", "Streamed calls a second, by how they ended."},
			queries: []query{by("treq_stream_outcome", sumBy("treq_stream_outcome", rate(chosen("treq_llm_streams_total"))))},
		},
	},
}

func share1d(family, record, wanted string) panel {
	return panel{
		title: text{"Chamadas a " + family, "Calls to " + family}, unit: "percentunit", single: true, width: 6,
		about:   text{"Parte das chamadas nas últimas 24 horas. Meta: " + wanted + ".", "Share of calls over the last 24 hours. Target: " + wanted + "."},
		queries: one(record),
	}
}
