// The mark: three places, two of them joined.
import type { ReactNode } from 'react'

export function Mark({ size = 28 }: { readonly size?: number }): ReactNode {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" aria-hidden focusable="false">
      <rect width="32" height="32" rx="8" fill="var(--brand)" />
      <path d="M9 21.5 16 9" stroke="#fff" strokeWidth="2.6" strokeLinecap="round" />
      <circle cx="16" cy="9" r="4.2" fill="#fff" />
      <circle cx="9" cy="21.5" r="4.2" fill="#fff" />
      <circle cx="23" cy="21.5" r="3.2" fill="none" stroke="#a9d8d4" strokeWidth="2" />
    </svg>
  )
}
