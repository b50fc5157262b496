// Layout of the kernel's memory, read by AssemblyScript and by TypeScript alike: offsets and sizes in bytes unless said otherwise.

/** Three vectors: 16 x 0x00, 16 x 0x0f, 16 x 0x1b. */
export const CONSTANTS = 64
/** For each factor t, 32 bytes: t times 0x00..0x0f, then t times 0x00, 0x10 .. 0xf0. */
export const TABLES = 1024
/** Address of each row of a program, u32. */
export const POINTERS = 9216
/** Rows of a program. */
export const ROWS_MAX = 768
/** Operations: code, t, a, b, c, d, each u16; the last four are numbers of rows. */
export const PROGRAM = 12288
export const OPERATION_BYTES = 12
/** Operations of a program. */
export const OPERATIONS_MAX = 2048
/** Temporary rows, one tile each. */
export const SCRATCH = 36864
export const SCRATCH_BYTES = 262144
/** What callers allocate. */
export const ARENA = 299008

/** c = a ^ t*b, d = c ^ b */
export const BUTTERFLY = 0
/** c = a ^ t*b */
export const MULTIPLY_ADD = 1
/** c = a ^ b */
export const ADD = 2
/** c = a */
export const COPY = 3
/** c = a ^ t*(b ^ d) */
export const FOLD = 4
