//go:build amd64 && !purego

#include "textflag.h"

// Montgomery arithmetic modulo N with MULX, ADCX and ADOX.
//
// Rules of this file. The number that is worked on lives in BX CX SI DI (lowest limb first) between macros and a
// product in R8 … R15; AX, BP and DX are scratch. No jump and no address depends on a limb or a digit: table entries
// are read all and masked. MOVQ $0 is not used where flags are live (the assembler makes an XOR of it). Vector
// registers are used by VEX-encoded instructions only (names that begin with V): an SSE instruction such as MOVQ AX, X1
// between AVX2 code makes Intel processors wait for the upper halves of the registers, which cost a third of a login.

// ROW adds (BX CX SI DI)·DX to t0 … t3, and sets t4 to the new top limb. Two carry chains run side by side: CF takes
// the low halves, OF the high ones.
#define ROW(t0, t1, t2, t3, t4) \
	XORQ  t4, t4      \
	MULXQ BX, AX, BP  \
	ADCXQ AX, t0      \
	ADOXQ BP, t1      \
	MULXQ CX, AX, BP  \
	ADCXQ AX, t1      \
	ADOXQ BP, t2      \
	MULXQ SI, AX, BP  \
	ADCXQ AX, t2      \
	ADOXQ BP, t3      \
	MULXQ DI, AX, BP  \
	ADCXQ AX, t3      \
	ADOXQ BP, t4      \
	ADCQ  $0, t4

// PRODUCT sets R8 … R15 = (BX CX SI DI) · (y0 y1 y2 y3), the latter in memory.
#define PRODUCT(y0, y1, y2, y3) \
	MOVQ  y0, DX       \
	MULXQ BX, R8, R9   \
	MULXQ CX, AX, R10  \
	ADDQ  AX, R9       \
	MULXQ SI, AX, R11  \
	ADCQ  AX, R10      \
	MULXQ DI, AX, R12  \
	ADCQ  AX, R11      \
	ADCQ  $0, R12      \
	MOVQ  y1, DX       \
	ROW(R9, R10, R11, R12, R13)  \
	MOVQ  y2, DX       \
	ROW(R10, R11, R12, R13, R14) \
	MOVQ  y3, DX       \
	ROW(R11, R12, R13, R14, R15)

// SQUARE sets R8 … R15 = (BX CX SI DI)²: the six mixed products first, which are doubled on the CF chain while the
// four squares are added on the OF chain.
#define SQUARE \
	MOVQ  BX, DX       \
	MULXQ CX, R9, R10  \
	MULXQ SI, AX, R11  \
	ADDQ  AX, R10      \
	MULXQ DI, AX, R12  \
	ADCQ  AX, R11      \
	MOVQ  CX, DX       \
	MULXQ DI, AX, R13  \
	ADCQ  AX, R12      \
	ADCQ  $0, R13      \
	MULXQ SI, AX, BP   \
	ADDQ  AX, R11      \
	ADCQ  BP, R12      \
	MOVQ  SI, DX       \
	MULXQ DI, AX, R14  \
	ADCQ  AX, R13      \
	ADCQ  $0, R14      \
	XORQ  R15, R15     \
	MOVQ  BX, DX       \
	MULXQ BX, R8, AX   \
	ADCXQ R9, R9       \
	ADOXQ AX, R9       \
	MOVQ  CX, DX       \
	MULXQ CX, AX, BP   \
	ADCXQ R10, R10     \
	ADOXQ AX, R10      \
	ADCXQ R11, R11     \
	ADOXQ BP, R11      \
	MOVQ  SI, DX       \
	MULXQ SI, AX, BP   \
	ADCXQ R12, R12     \
	ADOXQ AX, R12      \
	ADCXQ R13, R13     \
	ADOXQ BP, R13      \
	MOVQ  DI, DX       \
	MULXQ DI, AX, BP   \
	ADCXQ R14, R14     \
	ADOXQ AX, R14      \
	ADCXQ R15, R15     \
	ADOXQ BP, R15

// MODULUS keeps N in the frame, where CLEAR and REDUCE read it.
#define MODULUS \
	MOVQ $0xab3c82872a3e9bb7, AX \
	MOVQ AX, n0-72(SP)           \
	MOVQ $0x0801b18ebfbf5e8f, AX \
	MOVQ AX, n1-64(SP)           \
	MOVQ $0xbdad5b8b29065053, AX \
	MOVQ AX, n2-56(SP)           \
	MOVQ $0x894b645e89e1535b, AX \
	MOVQ AX, n3-48(SP)

// CLEAR adds DX·N to t0 … t3, with the DX that makes t0 zero, and reuses t0 as the limb above t3. The sum is below
// 2^256 + 2^64·N, so nothing is carried beyond.
#define CLEAR(t0, t1, t2, t3) \
	XORL  AX, AX      \
	MULXQ n0-72(SP), AX, BP  \
	ADCXQ AX, t0      \
	ADOXQ BP, t1      \
	MULXQ n1-64(SP), AX, BP  \
	ADCXQ AX, t1      \
	ADOXQ BP, t2      \
	MULXQ n2-56(SP), AX, BP  \
	ADCXQ AX, t2      \
	ADOXQ BP, t3      \
	MULXQ n3-48(SP), AX, BP  \
	ADCXQ AX, t3      \
	ADOXQ BP, t0      \
	ADCQ  $0, t0

// CLEAR2 clears two limbs. Both multipliers are the low half of (t0, t1) times -1/N mod 2^128, so the second need not
// wait for the first to be used: that wait is what a chain of squarings spends most of its time on.
#define CLEAR2(t0, t1, t2, t3) \
	MOVQ  $0xf2e782caeedfcdf9, DX \
	MOVQ  $0x1bb10d704e0b38f1, SI \
	MULXQ t0, BX, CX  \
	IMULQ t1, DX      \
	IMULQ t0, SI      \
	ADDQ  DX, CX      \
	ADDQ  SI, CX      \
	MOVQ  BX, DX      \
	CLEAR(t0, t1, t2, t3) \
	MOVQ  CX, DX      \
	CLEAR(t1, t2, t3, t0)

// REDUCE sets BX CX SI DI = (R8 … R15)/2^256 mod N, as some number below 2^256: the lower half is reduced to at most
// N, the upper half added, and N taken off if that carries.
#define REDUCE \
	CLEAR2(R8, R9, R10, R11) \
	CLEAR2(R10, R11, R8, R9) \
	MOVQ n0-72(SP), BX \
	MOVQ n1-64(SP), CX \
	MOVQ n2-56(SP), SI \
	MOVQ n3-48(SP), DI \
	ADDQ R12, R8  \
	ADCQ R13, R9  \
	ADCQ R14, R10 \
	ADCQ R15, R11 \
	SBBQ AX, AX   \
	ANDQ AX, BX   \
	ANDQ AX, CX   \
	ANDQ AX, SI   \
	ANDQ AX, DI   \
	SUBQ BX, R8   \
	SBBQ CX, R9   \
	SBBQ SI, R10  \
	SBBQ DI, R11  \
	MOVQ R8, BX   \
	MOVQ R9, CX   \
	MOVQ R10, SI  \
	MOVQ R11, DI

// LOAD reads the number at base.
#define LOAD(base) \
	MOVQ 0(base), BX  \
	MOVQ 8(base), CX  \
	MOVQ 16(base), SI \
	MOVQ 24(base), DI

// STORE writes the number to base, which is none of its registers.
#define STORE(base) \
	MOVQ BX, 0(base)  \
	MOVQ CX, 8(base)  \
	MOVQ SI, 16(base) \
	MOVQ DI, 24(base)

// ENTRY adds the table entry at offset to Y0 if the counter Y2 has reached the digit Y1; Y3 holds ones.
#define ENTRY(offset) \
	VPCMPEQQ Y2, Y1, Y4         \
	VPAND    offset(R8), Y4, Y4 \
	VPOR     Y4, Y0, Y0         \
	VPADDQ   Y3, Y2, Y2

// SELECT copies entry AX of the table at R8 to the first 32 bytes of the frame, having read all of the table.
#define SELECT \
	VMOVQ        AX, X1  \
	VPBROADCASTQ X1, Y1  \
	VPXOR        Y0, Y0, Y0 \
	VPXOR        Y2, Y2, Y2 \
	VPCMPEQQ     Y3, Y3, Y3 \
	VPSRLQ       $63, Y3, Y3 \
	ENTRY(0)   \
	ENTRY(32)  \
	ENTRY(64)  \
	ENTRY(96)  \
	ENTRY(128) \
	ENTRY(160) \
	ENTRY(192) \
	ENTRY(224) \
	ENTRY(256) \
	ENTRY(288) \
	ENTRY(320) \
	ENTRY(352) \
	ENTRY(384) \
	ENTRY(416) \
	ENTRY(448) \
	ENTRY(480) \
	VMOVDQU Y0, entry-32(SP)

// WIPE clears what SELECT left behind: the entry, the digit and the last entry that was compared.
#define WIPE \
	VPXOR   Y0, Y0, Y0 \
	VPXOR   Y1, Y1, Y1 \
	VPXOR   Y4, Y4, Y4 \
	VMOVDQU Y0, entry-32(SP) \
	VZEROUPPER

// func mulADX(z, x, y *limbs)
TEXT ·mulADX(SB), NOSPLIT, $72-24
	MODULUS
	MOVQ x+8(FP), AX
	LOAD(AX)
	MOVQ y+16(FP), AX
	MOVQ 8(AX), R13
	MOVQ 16(AX), R14
	MOVQ 24(AX), R15
	MOVQ R13, y1-24(SP)
	MOVQ R14, y2-16(SP)
	MOVQ R15, y3-8(SP)
	PRODUCT(0(AX), y1-24(SP), y2-16(SP), y3-8(SP))
	REDUCE
	MOVQ z+0(FP), AX
	STORE(AX)
	RET

// func sqrADX(z, x *limbs, count uint64)
TEXT ·sqrADX(SB), NOSPLIT, $72-24
	MODULUS
	MOVQ  x+8(FP), AX
	LOAD(AX)
	CMPQ  count+16(FP), $0
	JEQ   done

again:
	SQUARE
	REDUCE
	DECQ  count+16(FP)
	JNE   again

done:
	MOVQ z+0(FP), AX
	STORE(AX)
	RET

// func powerADX(z *limbs, table *window, digits []byte)
//
// The length word of digits counts down and its pointer moves on, in the caller's frame.
TEXT ·powerADX(SB), NOSPLIT, $72-40
	MODULUS
	MOVQ z+0(FP), AX
	LOAD(AX)

again:
	MOVQ $4, squarings-40(SP)

square:
	SQUARE
	REDUCE
	DECQ squarings-40(SP)
	JNE  square

	MOVQ    digits_base+16(FP), DX
	MOVBQZX (DX), AX
	INCQ    DX
	MOVQ    DX, digits_base+16(FP)
	MOVQ    table+8(FP), R8
	SELECT
	PRODUCT(entry-32(SP), entry-24(SP), entry-16(SP), entry-8(SP))
	REDUCE
	DECQ    digits_len+24(FP)
	JNE     again

	WIPE
	MOVQ z+0(FP), AX
	STORE(AX)
	RET

// func combADX(z *limbs, tables *window, digits []byte)
TEXT ·combADX(SB), NOSPLIT, $72-40
	MODULUS
	MOVQ z+0(FP), AX
	LOAD(AX)

again:
	MOVQ    digits_base+16(FP), DX
	MOVBQZX (DX), AX
	INCQ    DX
	MOVQ    DX, digits_base+16(FP)
	MOVQ    tables+8(FP), R8
	SELECT
	ADDQ    $512, R8
	MOVQ    R8, tables+8(FP)
	PRODUCT(entry-32(SP), entry-24(SP), entry-16(SP), entry-8(SP))
	REDUCE
	DECQ    digits_len+24(FP)
	JNE     again

	WIPE
	MOVQ z+0(FP), AX
	STORE(AX)
	RET
