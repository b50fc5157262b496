// Amounts of money as people read them: what is something is never shown as nothing.
import type { Measures } from './measures.ts'

const LEAST = 0.01

export function shownMoney(measures: Pick<Measures, 'decimal'>, amount: number, currency: string | null): string {
  const small = amount > 0 && amount < LEAST
  return `${small ? '< ' : ''}${measures.decimal(small ? LEAST : amount, 2)} ${currency ?? ''}`.trimEnd()
}
