// The roles in plain words, to choose from. What does not go together cannot be chosen together.
import { role, type Role } from '#contract'
import { Checkbox } from '@mantine/core'
import type { ReactNode } from 'react'
import { usePeopleWords } from './words.ts'
import styles from './people.module.css'

const APART: readonly Role[] = ['auditor', 'data-protection-officer']

export function RoleBoxes({
  chosen,
  choose,
}: {
  readonly chosen: readonly Role[]
  readonly choose: (roles: readonly Role[]) => void
}): ReactNode {
  const people = usePeopleWords()
  const taken = (one: Role): boolean =>
    one === 'administrator' ? chosen.some((other) => APART.includes(other)) : APART.includes(one) && chosen.includes('administrator')
  return (
    <fieldset className={styles.fields}>
      <legend>{people.roles}</legend>
      <p className={styles.small}>{people.rolesText}</p>
      {role.options.map((one) => (
        <Checkbox
          key={one}
          label={people.roleNames[one]}
          description={people.roleTexts[one]}
          checked={chosen.includes(one)}
          disabled={taken(one)}
          onChange={(event) => choose(event.currentTarget.checked ? [...chosen, one] : chosen.filter((other) => other !== one))}
        />
      ))}
    </fieldset>
  )
}
