//go:build !purego

#include "textflag.h"

// Each is sixteen bytes: of the text, or two counts of 64 bits with 255 for each byte
// counted.
DATA first<>+0(SB)/8, $0x3030303030303030 // '0'
DATA first<>+8(SB)/8, $0x3030303030303030
GLOBL first<>(SB), RODATA|NOPTR, $16

DATA width<>+0(SB)/8, $0x2a2a2a2a2a2a2a2a // 'Z'-'0'
DATA width<>+8(SB)/8, $0x2a2a2a2a2a2a2a2a
GLOBL width<>(SB), RODATA|NOPTR, $16

DATA comma<>+0(SB)/8, $0x2c2c2c2c2c2c2c2c // '-'-1
DATA comma<>+8(SB)/8, $0x2c2c2c2c2c2c2c2c
GLOBL comma<>(SB), RODATA|NOPTR, $16

// All eight; the other half equals nothing.
DATA eight<>+0(SB)/8, $0x00000001000007f8
DATA eight<>+8(SB)/8, $0x00000001000007f8
GLOBL eight<>(SB), RODATA|NOPTR, $16

// What all eight count for: fewest-1.
DATA bonus<>+0(SB)/8, $0x00000000000001fe
DATA bonus<>+8(SB)/8, $0x00000000000001fe
GLOBL bonus<>(SB), RODATA|NOPTR, $16

// One less than fewest; nothing of the other half is greater.
DATA below<>+0(SB)/8, $0x7fffffff000002fc
DATA below<>+8(SB)/8, $0x7fffffff000002fc
GLOBL below<>(SB), RODATA|NOPTR, $16

// func skim(b []byte) int
TEXT ·skim(SB), NOSPLIT, $0-32
	MOVQ  b_base+0(FP), SI
	MOVQ  b_len+8(FP), CX
	XORL  DX, DX
	MOVOU first<>(SB), X8
	MOVOU width<>(SB), X9
	MOVOU comma<>(SB), X10
	MOVOU eight<>(SB), X11
	MOVOU bonus<>(SB), X12
	MOVOU below<>(SB), X13
	PXOR  X7, X7

loop:
	CMPQ     DX, CX
	JGE      done
	MOVOU    (SI)(DX*1), X0
	MOVO     X0, X3
	PSUBB    X8, X0
	MOVO     X0, X1
	PMINUB   X9, X1
	PCMPEQB  X0, X1          // from '0' to 'Z'
	PSADBW   X7, X1
	PCMPGTB  X10, X3         // may lie within a key; signed, so that no byte beyond ASCII does
	PSADBW   X7, X3
	PCMPEQL  X11, X3
	PAND     X12, X3
	PADDL    X3, X1
	PCMPGTL  X13, X1
	PMOVMSKB X1, AX
	TESTL    AX, AX
	JNZ      found
	ADDQ     $16, DX
	JMP      loop

found:
	TESTL $1, AX
	JNZ   done
	ADDQ  $8, DX

done:
	MOVQ DX, ret+24(FP)
	RET
