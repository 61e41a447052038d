package redact

// The check digits are those of the Receita Federal (CPF; CNPJ with Instrução
// Normativa RFB 2.229 of 2024, by which from 2026 on the first twelve places of a
// CNPJ may hold capital letters) and of ISO/IEC 7812-1 (cards). Digits are values,
// not characters.

// validCPF tells whether the check digits of eleven digits hold. Eleven equal digits
// hold them and are nobody's.
func validCPF(d []byte) bool {
	if len(d) != 11 || same(d) {
		return false
	}
	for n := 9; n <= 10; n++ {
		sum := 0
		for i := range n {
			sum += int(d[i]) * (n + 1 - i)
		}
		if int(d[n]) != sum*10%11%10 {
			return false
		}
	}
	return true
}

// validCNPJ tells whether the check digits of fourteen places hold, each the
// character's distance from '0'.
func validCNPJ(d []byte) bool {
	if len(d) != 14 || same(d) {
		return false
	}
	for n := 12; n <= 13; n++ {
		sum, weight := 0, 2
		for i := n - 1; i >= 0; i-- {
			sum += int(d[i]) * weight
			if weight++; weight > 9 {
				weight = 2
			}
		}
		want := 0
		if rest := sum % 11; rest >= 2 {
			want = 11 - rest
		}
		if int(d[n]) != want {
			return false
		}
	}
	return true
}

// luhn tells whether the last digit is the check digit of the others.
func luhn(d []byte) bool {
	sum := 0
	for i := range d {
		v := int(d[len(d)-1-i])
		if i%2 == 1 {
			if v *= 2; v > 9 {
				v -= 9
			}
		}
		sum += v
	}
	return sum%10 == 0 && !same(d)
}

func same(d []byte) bool {
	for _, v := range d[1:] {
		if v != d[0] {
			return false
		}
	}
	return true
}

// subscriber tells whether ten or eleven digits are an area code and a number of
// Anatel's plan: mobiles have nine digits and start with 9, others eight and start
// with 2 to 5; old writes mobiles without their 9.
func subscriber(d []byte, old bool) bool {
	if len(d) < 10 || !areaCodes[d[0]*10+d[1]] {
		return false
	}
	if len(d) == 11 {
		return d[2] == 9
	}
	return len(d) == 10 && (2 <= d[2] && d[2] <= 5 || old && d[2] >= 6)
}

// areaCodes are those in use in Brazil.
var areaCodes = func() (t [100]bool) {
	for _, code := range []int{
		11, 12, 13, 14, 15, 16, 17, 18, 19, 21, 22, 24, 27, 28, 31, 32, 33, 34, 35, 37, 38,
		41, 42, 43, 44, 45, 46, 47, 48, 49, 51, 53, 54, 55, 61, 62, 63, 64, 65, 66, 67, 68, 69,
		71, 73, 74, 75, 77, 79, 81, 82, 83, 84, 85, 86, 87, 88, 89, 91, 92, 93, 94, 95, 96, 97, 98, 99,
	} {
		t[code] = true
	}
	return t
}()

// alphanumeric finds a CNPJ with letters at i: 14 capitals and digits, bare or
// written 12.ABC.345/01DE-35.
func alphanumeric(t []byte, i, end int) (to int, ok bool) {
	if p := before(t, i); isLetter(p) || isDigit(p) || p == '_' {
		return 0, false
	}
	var d [14]byte
	n, letters, marks := 0, false, 0
	for k := i; k < end; k++ {
		c := t[k]
		switch {
		case n < 12 && isCapital(c):
			letters = true
			fallthrough
		case isDigit(c):
			d[n] = c - '0'
			n++
		case n == 2+3*marks && marks < 2 && c == '.', n == 8 && marks == 2 && c == '/', n == 12 && marks == 3 && c == '-':
			marks++
			continue
		default:
			return 0, false
		}
		if n == 14 {
			if k+1 < len(t) && (isLetter(t[k+1]) || isDigit(t[k+1]) || t[k+1] == '_') {
				return 0, false
			}
			return k + 1, letters && (marks == 0 || marks == 4) && validCNPJ(d[:])
		}
	}
	return 0, false
}
