// What people type about a location, and the traits that it gives.
import type { Traits } from '#contract'
import { within } from './typed-number.ts'

export const TRAIT_FIELDS = [
  'provider',
  'region',
  'jurisdiction',
  'position',
  'availability',
  'durability',
  'currency',
  'perGiBMonth',
  'perGiBOut',
  'per10kPuts',
  'per10kGets',
] as const
export type TraitField = (typeof TRAIT_FIELDS)[number]
export type TraitsDraft = Readonly<Record<TraitField, string>>

const PRICES = ['perGiBMonth', 'perGiBOut', 'per10kPuts', 'per10kGets'] as const

export function draftOfTraits(traits: Traits): TraitsDraft {
  const percent = (part: number | undefined): string => (part === undefined ? '' : String(Math.round(part * 1e10) / 1e8))
  const { provider = '', region = '', jurisdiction = '', price, position } = traits
  return {
    provider,
    region,
    jurisdiction,
    position: position === undefined ? '' : `${position.latitude}, ${position.longitude}`,
    availability: percent(traits.availability),
    durability: percent(traits.durability),
    currency: price?.currency ?? '',
    perGiBMonth: price === undefined ? '' : String(price.perGiBMonth),
    perGiBOut: price === undefined ? '' : String(price.perGiBOut),
    per10kPuts: price === undefined ? '' : String(price.per10kPuts),
    per10kGets: price === undefined ? '' : String(price.per10kGets),
  }
}

/** The traits, and the fields that are not usable. A price that is left empty among others is nothing. */
export function traitsOf(draft: TraitsDraft): { readonly traits: Traits; readonly wrong: readonly TraitField[] } {
  const wrong: TraitField[] = []
  const number = (field: TraitField, most: number): number | undefined => {
    if (draft[field].trim() === '') return undefined
    const value = within(draft[field], 0, most)
    if (value === undefined) wrong.push(field)
    return value
  }
  const words = (['provider', 'region', 'jurisdiction'] as const).flatMap((field) => {
    const value = draft[field].trim()
    return value === '' ? [] : [[field, value] as const]
  })
  const parts = (['availability', 'durability'] as const).flatMap((field) => {
    const value = number(field, 100)
    return value === undefined ? [] : [[field, value / 100] as const]
  })
  const prices = PRICES.map((field) => [field, number(field, 1e6)] as const)
  const currency = draft.currency.trim().toUpperCase()
  const priced = prices.some(([, value]) => value !== undefined)
  if (currency === '' ? priced : !/^[A-Z]{3}$/.test(currency)) wrong.push('currency')
  const place = draft.position.trim() === '' ? undefined : positionOf(draft.position)
  if (draft.position.trim() !== '' && place === undefined) wrong.push('position')
  const traits = Object.fromEntries([...words, ...parts, ...(place === undefined ? [] : [['position', place] as const])]) as Traits
  if (!priced) return { traits, wrong }
  const price = Object.fromEntries(prices.map(([field, value]) => [field, value ?? 0])) as Record<(typeof PRICES)[number], number>
  return { traits: { ...traits, price: { ...price, currency } }, wrong }
}

/** Degrees north and east, as maps on the web give them: `47.07, 15.44`. */
export function positionOf(text: string): Traits['position'] {
  const match = /^(-?\d{1,2}(?:\.\d+)?)\s*[,; ]\s*(-?\d{1,3}(?:\.\d+)?)$/.exec(text.trim())
  if (match === null) return undefined
  const [latitude, longitude] = [Number(match[1]), Number(match[2])]
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? { latitude, longitude } : undefined
}
