// The recovery sheet: enough to find and check the vault again, nothing to open it with.
import type { VaultSummary } from '#contract'
import type { ReactNode } from 'react'
import { useSpeech } from '../words/words.tsx'
import styles from './sheet.module.css'

export interface SheetProps {
  readonly vault: VaultSummary
  /** What people call the locations, in the order of their numbers. */
  readonly locations: readonly string[]
}

export function Sheet({ vault, locations }: SheetProps): ReactNode {
  const { words, measures } = useSpeech()
  const { sheet } = words
  return (
    <article className={styles.sheet} data-testid="sheet">
      <h2>
        {words.app.name}: {vault.name}
      </h2>
      <dl className={styles.facts}>
        <dt>{sheet.rule}</dt>
        <dd>
          <strong>{sheet.ruleText(vault.threshold, vault.count)}</strong>
        </dd>
        <dt>{sheet.locations}</dt>
        <dd>
          <ol className={styles.locations}>
            {locations.map((location) => (
              <li key={location}>{location}</li>
            ))}
          </ol>
        </dd>
        <dt>{sheet.vault}</dt>
        <dd className="mono">{grouped(vault.id)}</dd>
        <dt>{sheet.dealer}</dt>
        <dd>
          <span className="mono">{grouped(vault.dealer)}</span>
          <small>{sheet.dealerHint}</small>
        </dd>
        <dt>{sheet.layout}</dt>
        <dd>{words.layouts[vault.layout]}</dd>
        <dt>{sheet.created}</dt>
        <dd>{measures.date(vault.created)}</dd>
      </dl>
      <h3>{sheet.how}</h3>
      <p>{sheet.howText(vault.threshold)}</p>
      <pre className={styles.command}>
        {`python3 recovery/recover.py --out restored --k ${vault.threshold} --dealer ${vault.dealer}`}
        {locations.slice(0, vault.threshold).map((_, index) => ` ${'abcdefghijklmnopqrstuvwxyz'[index] ?? index}`)}
      </pre>
      <p>{sheet.or}</p>
      <h3>{sheet.notes}</h3>
      <div className={styles.notes} aria-hidden />
    </article>
  )
}

/** Hex in groups of four, so that eyes can compare it. */
function grouped(hex: string): string {
  return hex.match(/.{1,4}/g)?.join(' ') ?? hex
}
