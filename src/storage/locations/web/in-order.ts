// Lists are held to the order that callers page by.
import { locationFailure } from '../failures.ts'

/** Refuses with `location.lies` names that do not follow one another in code point order, all beginning with `prefix` and after `after`. */
export function requireOrder(
  names: readonly string[],
  wanted: { readonly prefix: string; readonly after?: string | undefined },
  trouble: { readonly label: string; readonly next: string },
): void {
  let before = wanted.after ?? ''
  for (const name of names) {
    if (name <= before || !name.startsWith(wanted.prefix))
      throw locationFailure('location.lies', { ...trouble, detail: `${trouble.label} lists names out of order, or others than asked for.` })
    before = name
  }
}
