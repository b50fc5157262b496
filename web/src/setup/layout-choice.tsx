// Shared or sealed, in plain words with what each costs.
import type { Layout } from '#contract'
import type { ReactNode } from 'react'
import { useSpeech } from '../words/words.tsx'
import styles from './setup.module.css'

interface LayoutChoiceProps {
  readonly layout: Layout
  readonly change: (layout: Layout) => void
  readonly threshold: number
  readonly count: number
}

export function LayoutChoice({ layout, change, threshold, count }: LayoutChoiceProps): ReactNode {
  const { words, measures } = useSpeech()
  const { setup } = words
  const sealed = count / threshold
  const choices = [
    { value: 'shared', title: setup.shared, text: setup.sharedText(measures.number(count)) },
    { value: 'sealed', title: setup.sealed, text: setup.sealedText(measures.decimal(sealed, Number.isInteger(sealed) ? 0 : 1)) },
  ] as const
  return (
    <fieldset className={styles.group}>
      <legend>{setup.layout}</legend>
      <div className={styles.choices}>
        {choices.map(({ value, title, text }) => (
          <label key={value} className={styles.choice}>
            <input type="radio" name="layout" value={value} checked={layout === value} onChange={() => change(value)} />
            <strong>{title}</strong>
            <span>{text}</span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
