// Whether somebody is at the page: a pointer moved or a key was pressed lately.

const LATELY_MS = 60_000
const SIGNS = ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'] as const

let last = performance.now()
for (const sign of SIGNS) addEventListener(sign, () => (last = performance.now()), { passive: true, capture: true })

export function isUnattended(): boolean {
  return performance.now() - last > LATELY_MS
}
