// Arithmetic in GF(2^8) = GF(2)[x]/(x^8+x^4+x^3+x+1), the field of AES (FIPS 197 section 4).
// Branch-free and without tables, so that neither time nor addresses depend on the operands.

/** Product of two field elements (FIPS 197 section 4.2: shift and add). */
export function multiply(a: number, b: number): number {
  let shifted = a
  let product = 0
  for (let bit = 0; bit < 8; bit++) {
    product ^= shifted & -((b >>> bit) & 1)
    shifted = (shifted << 1) ^ (0x11b & -(shifted >>> 7))
  }
  return product
}

/** The inverse a^254 (Fermat); the inverse of 0 comes out as 0. */
export function inverse(a: number): number {
  let square = a
  let product = 1
  for (let bit = 1; bit < 8; bit++) {
    square = multiply(square, square)
    product = multiply(product, square)
  }
  return product
}

/** a / b; b is not 0. */
export function divide(a: number, b: number): number {
  return multiply(a, inverse(b))
}

/** True for a number that names a field element, 0..255. */
export function isElement(value: number): boolean {
  return Number.isInteger(value) && value >= 0 && value <= 255
}
