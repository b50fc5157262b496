// The fields of what is known of a location.
import { TextInput } from '@mantine/core'
import type { ReactNode } from 'react'
import styles from './health.module.css'
import { TRAIT_FIELDS, type TraitField, type TraitsDraft } from './traits-form.ts'
import { useHealthWords } from './words.ts'

interface TraitFieldsProps {
  readonly draft: TraitsDraft
  readonly wrong: readonly TraitField[]
  readonly change: (draft: TraitsDraft) => void
}

export function TraitFields({ draft, wrong, change }: TraitFieldsProps): ReactNode {
  const words = useHealthWords()
  return (
    <div className={styles.fields}>
      {TRAIT_FIELDS.map((field) => (
        <TextInput
          key={field}
          label={words.traits[field]}
          value={draft[field]}
          error={
            wrong.includes(field)
              ? field === 'currency'
                ? words.wrongCurrency
                : field === 'position'
                  ? words.wrongPosition
                  : words.wrong
              : undefined
          }
          maxLength={80}
          onChange={(event) => change({ ...draft, [field]: event.currentTarget.value })}
        />
      ))}
    </div>
  )
}
