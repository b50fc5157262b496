// Where each choice stands in the picture: money or bytes to the right, safety from loss up.
import type { PlanOption } from '#contract'

export interface Spot {
  readonly x: number
  readonly y: number
}

export interface PictureScale {
  /** What goes to the right: money where all is priced, else bytes. */
  readonly across: 'cost' | 'kept'
  readonly mostAcross: number
  /** Powers of ten, from likely (0) to as unlikely as any choice here. */
  readonly decades: number
  spotOf(option: PlanOption): Spot
}

/** Less likely than this is drawn at the top edge: a model says nothing about it. */
const DECADES_MAX = 15

export function pictureScale(options: readonly PlanOption[], box: { readonly width: number; readonly height: number }): PictureScale {
  const across = options.every(({ cost }) => cost !== null) ? 'cost' : 'kept'
  const amountOf = (option: PlanOption): number => (across === 'cost' ? option.cost!.total : option.keptBytes)
  const mostAcross = Math.max(...options.map(amountOf), Number.MIN_VALUE)
  const safety = ({ lossPerYear }: PlanOption): number => Math.min(DECADES_MAX, lossPerYear <= 0 ? DECADES_MAX : -Math.log10(lossPerYear))
  const decades = Math.max(1, Math.ceil(Math.max(...options.map(safety), 0)))
  return {
    across,
    mostAcross,
    decades,
    spotOf: (option) => ({
      x: (amountOf(option) / mostAcross) * box.width,
      y: box.height - (Math.max(0, safety(option)) / decades) * box.height,
    }),
  }
}

/** `99.97 %`: as many digits as tell it from 100, the last one not rounded up. */
export function nines(part: number): { readonly value: number; readonly digits: number } {
  const digits = part >= 1 ? 0 : Math.min(9, Math.max(0, Math.ceil(-Math.log10(1 - part)) - 1))
  return { value: Math.floor(part * 10 ** (digits + 2)) / 10 ** digits, digits }
}

export interface Choice {
  /** Of one choice that was pointed at; sliders name none. */
  readonly id?: string | undefined
  readonly threshold: number
  readonly count: number
  readonly layout: PlanOption['layout']
}

/** The option that was pointed at, or the best of this threshold, count and layout. */
export function chosenOf(options: readonly PlanOption[], choice: Choice): PlanOption | undefined {
  const named = options.find(({ id }) => id === choice.id)
  if (named !== undefined) return named
  return options.find(
    ({ best, threshold, count, layout }) => best && threshold === choice.threshold && count === choice.count && layout === choice.layout,
  )
}

/** Sizes on the slider: 1, 2, 5, 10 ... from a gigabyte to a petabyte. */
export const SIZES: readonly number[] = [9, 10, 11, 12, 13, 14].flatMap((power) => [1, 2, 5].map((step) => step * 10 ** power)).concat(1e15)
