// The file in the middle, its locations around it.
import type { Placement } from '#contract'
import { Button } from '@mantine/core'
import { IconEye, IconFile } from '@tabler/icons-react'
import type { ReactNode } from 'react'
import { placeNames } from '../pictures/place-names.ts'
import { Ring } from '../pictures/ring.tsx'
import { toneOfFragment } from '../pictures/tone.ts'
import { useSpeech } from '../words/words.tsx'
import styles from './details.module.css'

interface PlacementPictureProps {
  readonly placement: Placement
  /** The fragment that is looked at. */
  readonly looking: number | undefined
  readonly look: (x: number | undefined) => void
}

export function PlacementPicture({ placement, looking, look }: PlacementPictureProps): ReactNode {
  const { words, measures } = useSpeech()
  const { fragments, threshold, count } = placement
  const names = placeNames(fragments.map((fragment) => fragment.label))
  const firstHeld = fragments.find((fragment) => fragment.state === 'held')
  return (
    <>
      <p className={styles.text}>{words.details.ways(threshold, count)}</p>
      <Ring
        label={words.details.where}
        places={fragments.map((fragment) => ({
          key: String(fragment.x),
          x: fragment.x,
          label: fragment.label,
          tone: toneOfFragment[fragment.state],
          state: words.details.states[fragment.state],
          note: fragment.state === 'held' ? measures.bytes(fragment.sizeBytes) : undefined,
          pick: canLook(fragment)
            ? {
                label: words.details.lookAt(fragment.label),
                picked: looking === fragment.x,
                run: () => look(looking === fragment.x ? undefined : fragment.x),
              }
            : undefined,
        }))}
      >
        <IconFile size={34} stroke={1.5} className={styles.centreIcon} aria-hidden />
      </Ring>
      {looking === undefined && firstHeld !== undefined && (
        <Button
          variant="light"
          fullWidth
          leftSection={<IconEye size={18} aria-hidden />}
          onClick={() => look(firstHeld.x)}
          title={words.details.lookHint}
        >
          {words.details.look}
        </Button>
      )}
      {looking !== undefined && (
        <div className={styles.looks} role="group" aria-label={words.fragment.other}>
          {fragments.map(
            (fragment, index) =>
              canLook(fragment) && (
                <Button
                  key={fragment.x}
                  size="xs"
                  variant={fragment.x === looking ? 'filled' : 'default'}
                  aria-pressed={fragment.x === looking}
                  onClick={() => look(fragment.x)}
                >
                  {names[index]}
                </Button>
              ),
          )}
        </div>
      )}
    </>
  )
}

function canLook({ state }: Placement['fragments'][number]): boolean {
  return state === 'held' || state === 'corrupt'
}
