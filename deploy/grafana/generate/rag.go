package main

var rag = board{
	uid:   "treq-rag",
	title: text{"Treq: qualidade do RAG", "Treq: RAG quality"},
	about: text{"O que as buscas encontram, quão parecido é, em quanto tempo, e o que as pessoas acham das respostas.", "What searches find, how similar it is, in how much time, and what people think of the answers."},
	panels: []panel{
		kpi("Similaridade média", "Average similarity", "none", "treq:similarity:1d", above(0.60), "Meta: acima de 0,60", "Target: above 0.60"),
		kpi("Taxa de sucesso do RAG", "RAG success rate", "percentunit", "treq:rag_success_ratio:1d", above(0.90), "Meta: acima de 90%", "Target: above 90%"),
		kpi("Taxa de acerto do cache", "Cache hit rate", "percentunit", "treq:cache_hit_ratio:1d", above(0.30), "Meta: acima de 30%", "Target: above 30%"),
		kpi("Buscas sem resultado", "Searches without a result", "percentunit", "treq:no_result_ratio:1d", below(0.10), "Meta: abaixo de 10%", "Target: below 10%"),
		kpi("Buscas em 24 h", "Searches in 24 h", "none", "treq:searches:1d", nil, "Todas as buscas, também as do cache", "All searches, those of the cache too"),
		{
			title: text{"Cobertura de similaridade", "Score coverage"}, unit: "percentunit", single: true, width: 4,
			about:   text{"Parte das buscas cuja similaridade é conhecida, por serviço.", "Share of searches whose similarity is known, by service."},
			queries: []query{by("service_name", chosen("treq_retrieval_score_coverage_ratio"))},
		},
		{
			title: text{"Similaridade por base", "Similarity by data source"}, unit: "none", width: 12, max: 1, target: above(0.5),
			about:   text{"Similaridade média dos documentos de uma busca. A linha é o alerta do guia, 0,5.", "Mean similarity of a search's documents. The line is the guide's alert, 0.5."},
			queries: []query{by("gen_ai_data_source_id", meanBy("gen_ai_data_source_id", similarity))},
		},
		{
			title: text{"Distribuição do melhor documento", "Distribution of the best document"}, unit: "none", width: 12, max: 1,
			about: text{"Similaridade do melhor documento de cada busca: p10, mediana e p90.", "Similarity of the best document of each search: p10, median and p90."},
			queries: []query{
				{quantile("0.1", "treq_retrieval_top_similarity"), text{"p10", "p10"}},
				{quantile("0.5", "treq_retrieval_top_similarity"), text{"mediana", "median"}},
				{quantile("0.9", "treq_retrieval_top_similarity"), text{"p90", "p90"}},
			},
		},
		{
			title: text{"Buscas por resultado", "Searches by result"}, unit: "reqps", width: 12, stack: true,
			about:   text{"Buscas por segundo que encontraram algo, nada, ou cujo resultado ninguém informou.", "Searches a second that found something, nothing, or whose result nobody told."},
			queries: []query{by("treq_retrieval_result", sumBy("treq_retrieval_result", rate(chosen(searches+"_count"))))},
		},
		{
			title: text{"Buscas abaixo do limiar", "Searches below the threshold"}, unit: "percentunit", width: 12, max: 1,
			about:   text{"Parte das buscas cujo melhor documento é menos parecido do que retrieval.threshold.", "Share of searches whose best document is less similar than retrieval.threshold."},
			queries: one(share(sum(rate(chosen("treq_retrieval_below_threshold_total"))), sum(rate(chosen("treq_retrieval_top_similarity_count"))))),
		},
		{
			title: text{"Tempo de busca", "Search time"}, unit: "s", width: 12,
			about: text{"Média e p95.", "Mean and p95."},
			queries: []query{
				{mean(searches), text{"média", "mean"}}, {quantile("0.95", searches), text{"p95", "p95"}},
			},
		},
		{
			title: text{"Documentos por busca", "Documents per search"}, unit: "none", width: 12,
			about:   text{"Média de documentos que uma busca devolve, por base.", "Mean number of documents that a search returns, by data source."},
			queries: []query{by("gen_ai_data_source_id", meanBy("gen_ai_data_source_id", "treq_retrieval_documents"))},
		},
		{
			title: text{"Cache", "Cache"}, unit: "percentunit", width: 12, max: 1, target: above(0.30),
			about:   text{"Parte das buscas respondidas pelo cache. A linha é a meta de 30%.", "Share of searches answered by the cache. The line is the target of 30%."},
			queries: one(share(sum(rate(chosen(searches+"_count", `treq_cache="hit"`))), sum(rate(chosen(searches+"_count"))))),
		},
		{
			title: text{"Avaliações", "Judgements"}, unit: "none", width: 12, max: 1,
			about:   text{"Nota média que pessoas e avaliadores deram, por critério; 1 é a melhor.", "Mean score that people and evaluators gave, by criterion; 1 is best."},
			queries: []query{by("treq_feedback_key", share(sumBy("treq_feedback_key", chosen("treq_feedback_score_sum")), sumBy("treq_feedback_key", chosen("treq_feedback_score_count"))))},
		},
	},
}
