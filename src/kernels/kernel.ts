// The sharing kernel: secret sharing in GF(2^8)/0x11b on rows of bytes, 16 lanes at a time. AssemblyScript, compiled by scripts/build-kernel.ts.
// Constant time: no branch and no address depends on row contents. Tables and programs depend on public numbers only.
// Every length is a multiple of 16, every row is 16-byte aligned; src/crypto/kernel.ts asserts it.
// The compiler inlines every function here but the exported ones. Constant vectors are loaded
// from memory before each loop: V8 would build literals anew in every turn.

import { ADD, BUTTERFLY, CONSTANTS, FOLD, MULTIPLY_ADD, OPERATION_BYTES, POINTERS, PROGRAM, TABLES } from './layout'

function swizzle(table: v128, index: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return i8x16.relaxed_swizzle(table, index)
  return i8x16.swizzle(table, index)
}

function multiply(low: v128, high: v128, nibble: v128, value: v128): v128 {
  return v128.xor(swizzle(low, v128.and(value, nibble)), swizzle(high, v128.and(i16x8.shr_u(value, 4), nibble)))
}

function double(value: v128, zero: v128, polynomial: v128): v128 {
  return v128.xor(i8x16.add(value, value), v128.and(polynomial, i8x16.lt_s(value, zero)))
}

function split2of3At(secret: usize, r1: usize, f1: usize, f2: usize, f3: usize, zero: v128, polynomial: v128): void {
  const s = v128.load(secret)
  const r = v128.load(r1)
  const t = v128.xor(s, double(r, zero, polynomial))
  v128.store(f1, v128.xor(s, r))
  v128.store(f2, t)
  v128.store(f3, v128.xor(t, r))
}

/** Shares at 1, 2, 3 of f = s + r x. */
export function split2of3(secret: usize, r1: usize, f1: usize, f2: usize, f3: usize, length: usize): void {
  const zero = v128.load(CONSTANTS)
  const polynomial = v128.load(CONSTANTS, 32)
  let at: usize = 0
  for (; at + 32 <= length; at += 32) {
    split2of3At(secret + at, r1 + at, f1 + at, f2 + at, f3 + at, zero, polynomial)
    split2of3At(secret + at + 16, r1 + at + 16, f1 + at + 16, f2 + at + 16, f3 + at + 16, zero, polynomial)
  }
  for (; at < length; at += 16) split2of3At(secret + at, r1 + at, f1 + at, f2 + at, f3 + at, zero, polynomial)
}

/** Shares at 1..5 of f = s + b x + c (x^2 + x)/6. */
export function split3of5(secret: usize, r1: usize, r2: usize, f1: usize, f2: usize, f3: usize, f4: usize, f5: usize, length: usize): void {
  const zero = v128.load(CONSTANTS)
  const polynomial = v128.load(CONSTANTS, 32)
  for (let at: usize = 0; at < length; at += 16) {
    const s = v128.load(secret + at)
    const b = v128.load(r1 + at)
    const c = v128.load(r2 + at)
    const v2 = v128.xor(v128.xor(s, c), double(b, zero, polynomial))
    const v4 = v128.xor(s, double(v128.xor(c, double(v128.xor(b, c), zero, polynomial)), zero, polynomial))
    v128.store(f1 + at, v128.xor(s, b))
    v128.store(f2 + at, v2)
    v128.store(f3 + at, v128.xor(v2, b))
    v128.store(f4 + at, v4)
    v128.store(f5 + at, v128.xor(v4, b))
  }
}

function rowAt(operation: usize, offset: usize): usize {
  return load<u32>(((<usize>load<u16>(operation + offset)) << 2) + <usize>POINTERS)
}

/**
 * Runs a program tile by tile. The first `moving` rows (inputs and outputs) step on by one tile each time; temporary rows stay.
 * `tile` is a multiple of 16 that temporary rows can hold.
 */
export function run(operations: u32, moving: u32, tile: usize, length: usize): void {
  const end = <usize>PROGRAM + <usize>operations * OPERATION_BYTES
  for (let done: usize = 0; done < length; done += tile) {
    const size = min(tile, length - done)
    for (let operation = <usize>PROGRAM; operation < end; operation += OPERATION_BYTES) {
      const code = load<u16>(operation)
      const table = <usize>TABLES + ((<usize>load<u16>(operation, 2)) << 5)
      const a = rowAt(operation, 4)
      const b = rowAt(operation, 6)
      const c = rowAt(operation, 8)
      if (code == BUTTERFLY) butterfly(table, a, b, c, rowAt(operation, 10), size)
      else if (code == MULTIPLY_ADD) multiplyAdd(table, a, b, c, size)
      else if (code == ADD) add(a, b, c, size)
      else if (code == FOLD) fold(table, a, b, c, rowAt(operation, 10), size)
      else memory.copy(c, a, size)
    }
    for (let row: u32 = 0; row < moving; row++) {
      const pointer = <usize>POINTERS + ((<usize>row) << 2)
      store<u32>(pointer, load<u32>(pointer) + <u32>tile)
    }
  }
}

function butterflyAt(low: v128, high: v128, nibble: v128, a: usize, b: usize, c: usize, d: usize): void {
  const y = v128.load(b)
  const z = v128.xor(v128.load(a), multiply(low, high, nibble, y))
  v128.store(c, z)
  v128.store(d, v128.xor(z, y))
}

function butterfly(table: usize, a: usize, b: usize, c: usize, d: usize, size: usize): void {
  const low = v128.load(table)
  const high = v128.load(table, 16)
  const nibble = v128.load(CONSTANTS, 16)
  let at: usize = 0
  for (; at + 32 <= size; at += 32) {
    butterflyAt(low, high, nibble, a + at, b + at, c + at, d + at)
    butterflyAt(low, high, nibble, a + at + 16, b + at + 16, c + at + 16, d + at + 16)
  }
  for (; at < size; at += 16) butterflyAt(low, high, nibble, a + at, b + at, c + at, d + at)
}

function multiplyAddAt(low: v128, high: v128, nibble: v128, a: usize, b: usize, c: usize): void {
  v128.store(c, v128.xor(v128.load(a), multiply(low, high, nibble, v128.load(b))))
}

function multiplyAdd(table: usize, a: usize, b: usize, c: usize, size: usize): void {
  const low = v128.load(table)
  const high = v128.load(table, 16)
  const nibble = v128.load(CONSTANTS, 16)
  let at: usize = 0
  for (; at + 32 <= size; at += 32) {
    multiplyAddAt(low, high, nibble, a + at, b + at, c + at)
    multiplyAddAt(low, high, nibble, a + at + 16, b + at + 16, c + at + 16)
  }
  for (; at < size; at += 16) multiplyAddAt(low, high, nibble, a + at, b + at, c + at)
}

function add(a: usize, b: usize, c: usize, size: usize): void {
  let at: usize = 0
  for (; at + 32 <= size; at += 32) {
    v128.store(c + at, v128.xor(v128.load(a + at), v128.load(b + at)))
    v128.store(c + at + 16, v128.xor(v128.load(a + at + 16), v128.load(b + at + 16)))
  }
  for (; at < size; at += 16) v128.store(c + at, v128.xor(v128.load(a + at), v128.load(b + at)))
}

function foldAt(low: v128, high: v128, nibble: v128, a: usize, b: usize, c: usize, d: usize): void {
  v128.store(c, v128.xor(v128.load(a), multiply(low, high, nibble, v128.xor(v128.load(b), v128.load(d)))))
}

function fold(table: usize, a: usize, b: usize, c: usize, d: usize, size: usize): void {
  const low = v128.load(table)
  const high = v128.load(table, 16)
  const nibble = v128.load(CONSTANTS, 16)
  let at: usize = 0
  for (; at + 32 <= size; at += 32) {
    foldAt(low, high, nibble, a + at, b + at, c + at, d + at)
    foldAt(low, high, nibble, a + at + 16, b + at + 16, c + at + 16, d + at + 16)
  }
  for (; at < size; at += 16) foldAt(low, high, nibble, a + at, b + at, c + at, d + at)
}
