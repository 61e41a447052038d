package redact

import "slices"

// Kind is what a piece of text is. Values from the last one here on are patterns of
// the user's own, by their index.
type Kind uint8

// The kinds that are known.
const (
	CPF    Kind = iota // the number of a person, with its check digits
	CNPJ               // the number of a company, with its check digits, of digits or with letters
	Email              // an address
	Phone              // a telephone number, Brazilian or with its country's code
	Card               // a payment card's number, with its check digit
	Secret             // a key, token, password in a URL, or private key
	known
)

var kindNames = [known]string{"cpf", "cnpj", "email", "phone", "card", "secret"}

// Kinds gives the names of the kinds that are known, as settings and masks call them.
func Kinds() []string { return slices.Clone(kindNames[:]) }

func kindNamed(name string) (Kind, bool) {
	i := slices.Index(kindNames[:], name)
	return Kind(i), i >= 0
}

// Mode is what becomes of what was found.
type Mode string

// The modes.
const (
	// Keep leaves it.
	Keep Mode = "keep"
	// Mask puts the kind's name in brackets in its place: [CPF].
	Mask Mode = "mask"
	// Hash puts the kind's name and a keyed hash in its place, so that equal values
	// stay equal and nobody without the key can try values out: [CPF:kdmfbpoagc…].
	Hash Mode = "hash"
	// Drop takes away more than what was found: the whole text that holds it, of
	// which the kind's name stays; and of a field, all of the attribute.
	Drop Mode = "drop"
)

// Modes gives all modes.
func Modes() []Mode { return []Mode{Keep, Mask, Hash, Drop} }

// Content says what becomes of prompts, answers and documents.
type Content string

// What becomes of content.
const (
	// KeepContent leaves it to the kinds and fields.
	KeepContent Content = "keep"
	// NoContent takes the words away and leaves the numbers: counts, scores, tokens.
	NoContent Content = "none"
)
