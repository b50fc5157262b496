// The form of a new vault: where, how many, how laid out; the rest folded away.
import type { Layout, Site, VaultSummary } from '#contract'
import { Button, Checkbox, PasswordInput, SegmentedControl, TextInput } from '@mantine/core'
import { IconPlus } from '@tabler/icons-react'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useId, useRef, useState, type FormEvent, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import { client } from '../site/client.ts'
import { keys } from '../site/queries.ts'
import { useWords } from '../words/words.tsx'
import { LayoutChoice } from './layout-choice.tsx'
import { PlaceFields } from './place-fields.tsx'
import { draftTroubles, emptyDraft, isFine, requestOf, specOf, type PlaceDraft } from './place-form.ts'
import styles from './setup.module.css'

const LOCATIONS_MAX = 32
const LOCATIONS_MIN = 2
const SEGMENTS_MAX = 6
const PASSPHRASE_MIN = 12

interface VaultFormProps {
  readonly site: Site
  readonly made: (made: { vault: VaultSummary; locations: readonly string[] }) => void
}

export function VaultForm({ site, made }: VaultFormProps): ReactNode {
  const words = useWords()
  const { setup } = words
  const queries = useQueryClient()
  const form = useRef<HTMLFormElement>(null)
  const [drafts, setDrafts] = useState<readonly PlaceDraft[]>(() => {
    const folders = site.suggestedFolders.slice(0, 3)
    return [...folders, ...Array<string>(Math.max(0, 3 - folders.length)).fill('')].map((folder) => emptyDraft(folder))
  })
  const [wanted, setWanted] = useState(2)
  const [layout, setLayout] = useState<Layout>('shared')
  const [name, setName] = useState('')
  const [requireAll, setRequireAll] = useState(false)
  const [passphrase, setPassphrase] = useState('')
  const [tried, setTried] = useState(false)
  const threshold = Math.min(wanted, drafts.length)
  const troubles = draftTroubles(drafts, words)
  const shortPass = passphrase !== '' && passphrase.length < PASSPHRASE_MIN
  const create = useMutation({
    mutationFn: () =>
      client.createVault({
        threshold,
        layout,
        requireAll,
        locations: drafts.map(requestOf),
        ...(name.trim() === '' ? {} : { name: name.trim() }),
        ...(passphrase === '' ? {} : { passphrase }),
      }),
    // A vault may stand although something failed on the way: then it is the vault that is shown.
    onError: () => void queries.invalidateQueries({ queryKey: keys.site }),
    onSuccess: (vault) => made({ vault, locations: drafts.map((draft) => draft.label.trim() || withoutQuery(specOf(draft))) }),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    setTried(true)
    if (troubles.every(isFine) && !shortPass) create.mutate()
    else setTimeout(() => form.current?.querySelector<HTMLElement>('[aria-invalid=true]')?.focus())
  }
  return (
    <form ref={form} className={styles.form} onSubmit={submit} noValidate data-testid="vault-form">
      <fieldset className={styles.group}>
        <legend>{setup.places}</legend>
        <p className={styles.hint}>{setup.placesHint}</p>
        {drafts.map((draft, index) => (
          <PlaceFields
            key={draft.id}
            number={index + 1}
            draft={draft}
            trouble={tried ? troubles[index]! : {}}
            change={(next) => setDrafts(drafts.map((one) => (one.id === next.id ? next : one)))}
            remove={drafts.length > LOCATIONS_MIN ? () => setDrafts(drafts.filter((one) => one.id !== draft.id)) : undefined}
          />
        ))}
        {drafts.length < LOCATIONS_MAX && (
          <Button
            className={styles.add}
            variant="subtle"
            leftSection={<IconPlus size={18} aria-hidden />}
            onClick={() => setDrafts([...drafts, emptyDraft()])}
          >
            {setup.add}
          </Button>
        )}
      </fieldset>
      <ThresholdChoice threshold={threshold} count={drafts.length} change={setWanted} />
      <LayoutChoice layout={layout} change={setLayout} threshold={threshold} count={drafts.length} />
      <details className={styles.more} open={shortPass && tried ? true : undefined}>
        <summary>{setup.advanced}</summary>
        <div className={styles.moreBody}>
          <TextInput
            label={setup.name}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
            maxLength={100}
            placeholder={words.files.root}
          />
          <PasswordInput
            label={setup.passphrase}
            description={setup.passphraseHint}
            value={passphrase}
            onChange={(event) => setPassphrase(event.currentTarget.value)}
            error={tried && shortPass ? setup.passphraseShort : undefined}
            autoComplete="new-password"
          />
          <Checkbox
            label={setup.requireAll}
            description={setup.requireAllHint}
            checked={requireAll}
            onChange={(event) => setRequireAll(event.currentTarget.checked)}
          />
        </div>
      </details>
      <p className={styles.honest}>{setup.honest}</p>
      <TroubleBox error={create.error} />
      <div className={styles.buttons}>
        <Button type="submit" size="lg" loading={create.isPending}>
          {setup.make}
        </Button>
        <span role="status" className={styles.hint}>
          {create.isPending && setup.making}
        </span>
      </div>
    </form>
  )
}

interface ThresholdChoiceProps {
  readonly threshold: number
  readonly count: number
  readonly change: (threshold: number) => void
}

function ThresholdChoice({ threshold, count, change }: ThresholdChoiceProps): ReactNode {
  const { setup } = useWords()
  const label = useId()
  const values = Array.from({ length: count - 1 }, (_, index) => String(index + 2))
  return (
    <div className={styles.group} role="group" aria-labelledby={label}>
      <span id={label} className={styles.label}>
        {setup.threshold}
      </span>
      <div className={styles.threshold}>
        {count <= SEGMENTS_MAX ? (
          <SegmentedControl aria-labelledby={label} value={String(threshold)} onChange={(value) => change(Number(value))} data={values} />
        ) : (
          <TextInput
            type="number"
            aria-labelledby={label}
            min={2}
            max={count}
            value={threshold}
            onChange={(event) => change(Math.max(2, Math.min(count, Math.floor(Number(event.currentTarget.value)) || 2)))}
            w={90}
          />
        )}
        <p className={styles.hint} role="status">
          {setup.thresholdHint(threshold, count)}
        </p>
      </div>
      {threshold === count && <p className={styles.warn}>{setup.noSpare}</p>}
    </div>
  )
}

/** Where keys lie is nobody's business on the sheet. */
function withoutQuery(spec: string): string {
  return spec.split('?')[0] ?? spec
}
