// What plans cost, and that the generated kernel is what the sources give.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { planInterpolate, planSplit } from '../../src/crypto/plan.ts'
import { OPERATIONS_MAX, ROWS_MAX } from '../../src/kernels/layout.ts'
import { buildKernel } from '../../scripts/build-kernel.ts'

test('the additive FFT of 128-of-255 needs 769 multiplications where evaluation needs 32385', () => {
  assert.equal(planSplit({ k: 128, n: 255 }).multiplications, 769)
})

test('every split fits the program, the rows and the temporary rows of the kernel', () => {
  for (let n = 2; n <= 255; n += n < 40 ? 1 : 27) {
    for (let k = 2; k <= n; k += n < 40 ? 1 : 13) {
      const plan = planSplit({ k, n })
      assert.ok(plan.operations <= OPERATIONS_MAX, `${k}-of-${n}`)
      assert.ok(plan.inputs + plan.outputs + plan.temporaries <= ROWS_MAX, `${k}-of-${n}`)
    }
  }
})

test('a combine needs k-1 multiplications and one temporary row; a point that is given is a copy', () => {
  const plan = planInterpolate({ xs: [2, 5, 7], at: [0] })
  assert.equal(plan.operations, 2)
  assert.equal(plan.temporaries, 1)
  assert.deepEqual([plan.multiplications, planInterpolate({ xs: [2, 5, 7], at: [5, 2] }).multiplications], [2, 0])
})

test('src/crypto/kernel-wasm.ts is what src/kernels compiles to, byte for byte', async () => {
  const committed = readFileSync(new URL('../../src/crypto/kernel-wasm.ts', import.meta.url), 'utf8')
  assert.equal(await buildKernel(), committed)
})
