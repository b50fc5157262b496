// Small choices of the person, kept in this browser. A browser that refuses storage only forgets them.

type Choice = 'language' | 'scheme' | 'shortcuts' | 'audit-head' | 'patient'

export function recall(choice: Choice): string | null {
  try {
    return localStorage.getItem(`quorate-${choice}`)
  } catch {
    return null
  }
}

export function remember(choice: Choice, value: string): void {
  try {
    localStorage.setItem(`quorate-${choice}`, value)
  } catch {
    // Private windows may refuse; the choice then lasts until the page closes.
  }
}
