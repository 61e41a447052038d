package terminal

import "strings"

// saying is a text in both languages.
type saying struct{ english, portuguese string }

// whys say why a span counted for what it did, by its reason or disposition.
var whys = map[string]saying{
	"chat":         {"It is a user's question: one chat.", "É a pergunta de um usuário: um chat."},
	"llm_call":     {"It is one call of a language model.", "É uma chamada de um modelo de linguagem."},
	"embedding":    {"It is one call of an embedding model.", "É uma chamada de um modelo de embeddings."},
	"rerank":       {"It is one call of a reranker.", "É uma chamada de um reordenador."},
	"retrieval":    {"It is one search.", "É uma busca."},
	"tool":         {"It is one execution of a tool.", "É uma execução de uma ferramenta."},
	"inside":       {"It is no event of its own.", "Não é um evento próprio."},
	"inside.chat":  {"It is a part of the chat, and no event of its own.", "É uma parte do chat, e não um evento próprio."},
	"wrapper":      {"It wraps model calls that are counted themselves.", "Envolve chamadas de modelo que já são contadas."},
	"repeat":       {"It repeats the usage of the model calls below it.", "Repete o uso das chamadas de modelo abaixo dele."},
	"double":       {"It is another instrumentation's view of a call or search that is counted.", "É a visão de outra instrumentação sobre uma chamada ou busca já contada."},
	"late":         {"It came late, and what it tells of was counted already.", "Chegou atrasado, e o que ele conta já tinha sido contado."},
	"inner_search": {"It is a part of the search above it.", "É uma parte da busca acima dele."},
	"other_door":   {"Its trace is counted through another door.", "O seu trace é contado por outra porta."},
	"time":         {"It has no start or no end, so that nothing of it can be counted.", "Não tem início ou fim, e por isso nada dele pode ser contado."},
	"not_genai":    {"Nothing of its trace, or of its part of it, is about a language model or a search.", "Nada no seu trace, ou na sua parte dele, trata de um modelo de linguagem ou de uma busca."},
	"duplicate":    {"It was told before.", "Já tinha chegado antes."},
}

var dispositions = map[string]saying{
	"recorded":  {"counted", "contado"},
	"folded":    {"part of another", "parte de outro"},
	"duplicate": {"came twice", "repetido"},
	"not_genai": {"not counted", "não contado"},
	"refused":   {"not countable", "não contável"},
}

var events = map[string]saying{
	"chat":      {"chat", "chat"},
	"llm_call":  {"model call", "chamada de modelo"},
	"retrieval": {"search", "busca"},
	"embedding": {"embedding", "embedding"},
	"rerank":    {"reranking", "reordenação"},
	"tool_call": {"tool call", "chamada de ferramenta"},
}

// word gives what a code of the service's is called; a code that is new here as it is.
func (s Screen) word(of map[string]saying, code string) string {
	if said, ok := of[code]; ok {
		return s.say(said.english, said.portuguese)
	}
	return Clean(code)
}

// became says what a span counted for.
func (s Screen) became(e *explanation) string {
	said := s.word(dispositions, e.Disposition)
	if len(e.Events) > 0 {
		var names []string
		for _, event := range e.Events {
			names = append(names, s.word(events, event))
		}
		said += ": " + strings.Join(names, ", ")
	}
	if e.Tokens != nil && e.Tokens.Total > 0 {
		said += ", " + s.number(e.Tokens.Total, 0) + " tokens"
	}
	if e.Cost != nil && *e.Cost > 0 {
		said += ", " + s.money(*e.Cost, "USD")
	}
	return said
}

// why says why: in the screen's language where the reason is known here, else as the
// service says it.
func (s Screen) why(e *explanation) string {
	reason := e.Reason
	switch {
	case e.Disposition == "not_genai", e.Disposition == "duplicate" && reason == "":
		reason = e.Disposition
	case reason == "inside" && e.ChatSpanID != "":
		reason = "inside.chat"
	}
	if said, ok := whys[reason]; ok {
		return s.say(said.english, said.portuguese)
	}
	return Clean(e.Why)
}
