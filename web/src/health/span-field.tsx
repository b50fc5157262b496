// A number and its unit, said in words below.
import { NativeSelect, TextInput } from '@mantine/core'
import { useId, type ReactNode } from 'react'
import styles from './health.module.css'
import type { SpanDraft, SpanUnit } from './spans.ts'
import { useHealthWords } from './words.ts'

interface SpanFieldProps {
  readonly label: string
  readonly units: readonly SpanUnit[]
  readonly value: SpanDraft
  readonly disabled?: boolean | undefined
  readonly error: string | undefined
  readonly change: (value: SpanDraft) => void
}

export function SpanField({ label, units, value, disabled = false, error, change }: SpanFieldProps): ReactNode {
  const words = useHealthWords()
  const id = useId()
  return (
    <div className={styles.span}>
      <TextInput
        id={id}
        label={label}
        inputMode="decimal"
        value={value.amount}
        disabled={disabled}
        error={error}
        onChange={(event) => change({ ...value, amount: event.currentTarget.value })}
      />
      <NativeSelect
        aria-label={`${label}: ${words.unit}`}
        value={value.unit}
        disabled={disabled}
        data={units.map((unit) => ({ value: unit, label: words.units[unit] }))}
        onChange={(event) => change({ ...value, unit: units.find((unit) => unit === event.currentTarget.value) ?? value.unit })}
      />
    </div>
  )
}
