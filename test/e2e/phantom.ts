// The Shepp-Logan head phantom (IEEE Trans. Nucl. Sci. 21(3), 1974; contrasts after Toft 1996): a picture that everybody in imaging knows.

const ELLIPSES = [
  [1, 0.69, 0.92, 0, 0, 0],
  [-0.8, 0.6624, 0.874, 0, -0.0184, 0],
  [-0.2, 0.11, 0.31, 0.22, 0, -18],
  [-0.2, 0.16, 0.41, -0.22, 0, 18],
  [0.1, 0.21, 0.25, 0, 0.35, 0],
  [0.1, 0.046, 0.046, 0, 0.1, 0],
  [0.1, 0.046, 0.046, 0, -0.1, 0],
  [0.1, 0.046, 0.023, -0.08, -0.605, 0],
  [0.1, 0.023, 0.023, 0, -0.606, 0],
  [0.1, 0.023, 0.046, 0.06, -0.605, 0],
] as const

/** side x side grey values, row by row, one byte each. */
export function phantom(side: number): Uint8Array {
  const picture = new Uint8Array(side * side)
  for (let row = 0; row < side; row++)
    for (let column = 0; column < side; column++) {
      const x = (2 * (column + 0.5)) / side - 1
      const y = 1 - (2 * (row + 0.5)) / side
      let value = 0
      for (const [density, a, b, x0, y0, degrees] of ELLIPSES) {
        const angle = (degrees * Math.PI) / 180
        const u = (x - x0) * Math.cos(angle) + (y - y0) * Math.sin(angle)
        const v = (y - y0) * Math.cos(angle) - (x - x0) * Math.sin(angle)
        if ((u / a) ** 2 + (v / b) ** 2 <= 1) value += density
      }
      picture[row * side + column] = Math.max(0, Math.min(255, Math.round(value * 255)))
    }
  return picture
}
