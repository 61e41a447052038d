package demo

import (
	"math"
	"math/rand/v2"
	"time"
)

// chat is the plan of one question: everything about it but when it happens.
type chat struct {
	question string
	stream   bool
	status   int           // of the HTTP answer
	overhead time.Duration // before the search and after the answer
	search   *search       // nil: answered without documents
	calls    []call        // the last one decides; more than one is a fallback
}

func (c *chat) failed() bool { return c.status >= 500 }

func (c *chat) tokens() (n int64) {
	for _, l := range c.calls {
		n += l.input + l.output
	}
	return n
}

type search struct {
	duration  time.Duration
	cacheHit  bool
	embedding time.Duration // 0: the cache answered
	scores    []float64     // best first; empty: nothing found
}

type call struct {
	model, provider string
	duration        time.Duration
	firstToken      time.Duration
	input, cached   int64 // cached tokens are among the input
	output          int64
	errorType       string // "": answered
}

var questions = []string{
	"Quais são os procedimentos para devolução de mercadoria avariada?",
	"Como funciona o inventário rotativo no armazém?",
	"Qual é o prazo de entrega para o interior da Bahia?",
	"Quem aprova uma ordem de compra acima de R$ 10.000?",
	"Como registro uma não conformidade no sistema?",
	"O que fazer quando a nota fiscal chega com divergência de peso?",
	"Qual a meta de produtividade da linha 2 neste mês?",
	"Como calibrar a balança da expedição?",
	"Quais EPIs são obrigatórios na área de corte?",
	"Explique o fluxo de recebimento de bobinas de aço.",
	"Qual foi o motivo da parada da máquina 5 ontem?",
	"Onde encontro o contrato do fornecedor de embalagens?",
}

// model is one of the models that the router picks from.
type model struct {
	name, provider string
	share          float64 // of the calls
	base           time.Duration
	perToken       time.Duration // of output
}

// The router sends simple questions to the small model, complex ones to the
// large, heavy ones to GLM.
var models = []model{
	{"llama-3.1-8b-instant", "groq", 0.60, 120 * time.Millisecond, 1200 * time.Microsecond},
	{"llama-3.3-70b-versatile", "groq", 0.30, 260 * time.Millisecond, 3200 * time.Microsecond},
	{"glm-4.7", "zhipuai", 0.10, 480 * time.Millisecond, 5200 * time.Microsecond},
}

// planner makes plans; the same source of random numbers gives the same plans.
type planner struct{ *rand.Rand }

func newPlanner(seed uint64) planner { return planner{rand.New(rand.NewPCG(seed, 0x7472_6571))} }

func (p planner) chat() chat {
	c := chat{
		question: questions[p.IntN(len(questions))],
		stream:   p.chance(0.7),
		status:   200,
		overhead: p.about(35*time.Millisecond, 0.4),
	}
	if p.chance(0.8) {
		c.search = p.search()
	}
	c.calls = []call{p.call(p.model(), c.search)}
	if p.chance(0.03) {
		p.fail(&c)
	}
	return c
}

// fail makes the chat's model call fail. GLM has a fallback, the others answer
// the user with an error.
func (p planner) fail(c *chat) {
	first := &c.calls[0]
	first.errorType = [...]string{"429", "503", "timeout"}[p.IntN(3)]
	first.input, first.cached, first.output, first.firstToken = 0, 0, 0, 0
	if first.provider == "zhipuai" {
		c.calls = append(c.calls, p.call(models[0], c.search))
		return
	}
	c.status = 502
}

func (p planner) search() *search {
	s := &search{duration: p.about(110*time.Millisecond, 0.45)}
	if p.chance(0.37) {
		s.cacheHit = true
		s.duration = p.about(4*time.Millisecond, 0.5)
	} else {
		s.embedding = min(p.about(45*time.Millisecond, 0.3), s.duration*8/10)
	}
	if p.chance(0.07) {
		return s
	}
	top := math.Min(0.97, 0.74+0.09*p.NormFloat64())
	for range 3 + p.IntN(3) {
		if top < 0.35 {
			break // below the threshold of the search
		}
		s.scores = append(s.scores, math.Round(top*1000)/1000)
		top -= 0.015 + 0.03*p.Float64()
	}
	return s
}

func (p planner) model() model {
	at := p.Float64()
	for _, m := range models {
		if at < m.share {
			return m
		}
		at -= m.share
	}
	return models[0]
}

// call plans one that answers; documents make the prompt longer.
func (p planner) call(m model, s *search) call {
	c := call{model: m.name, provider: m.provider, input: 90 + int64(p.IntN(120)), output: 40 + int64(p.ExpFloat64()*90)}
	if s != nil {
		c.input += int64(len(s.scores)) * (60 + int64(p.IntN(60)))
	}
	c.output = min(c.output, 600)
	if p.chance(0.25) {
		c.cached = c.input / 2
	}
	c.firstToken = p.about(m.base, 0.3)
	c.duration = c.firstToken + time.Duration(c.output)*m.perToken
	return c
}

func (p planner) chance(share float64) bool { return p.Float64() < share }

// about gives a time around a median, with the long tail that latencies have.
func (p planner) about(median time.Duration, spread float64) time.Duration {
	return time.Duration(float64(median) * math.Exp(spread*p.NormFloat64()))
}
