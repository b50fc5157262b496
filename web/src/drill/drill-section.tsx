// Whether the vault comes back: the last drill with its report, and the way to another one.
import { isFailure } from '#base'
import { drillReport, type DrillAnswer } from '#contract'
import { Button } from '@mantine/core'
import { IconDownload, IconLifebuoy } from '@tabler/icons-react'
import { useQuery } from '@tanstack/react-query'
import { useState, type ReactNode } from 'react'
import { TroubleBox } from '../app/trouble-box.tsx'
import styles from '../health/health.module.css'
import { ToneIcon } from '../pictures/tone-icon.tsx'
import { client } from '../site/client.ts'
import { useSpeech } from '../words/words.tsx'
import { DrillDialog } from './drill-dialog.tsx'
import { DrillRounds } from './drill-rounds.tsx'
import { saveText } from './save-text.ts'
import { useDrillWords } from './words.ts'

export const DRILL = ['drill'] as const

export function DrillSection(): ReactNode {
  const words = useDrillWords()
  const [open, setOpen] = useState(false)
  const last = useQuery({ queryKey: DRILL, queryFn: ({ signal }) => client.lastDrill({ signal }), retry: false })
  const never = isFailure(last.error, 'storage.absent')
  return (
    <section className={styles.block} aria-labelledby="drill" data-testid="drill">
      <div className={styles.row}>
        <h2 id="drill">{words.title}</h2>
        <Button variant="default" leftSection={<IconLifebuoy size={18} aria-hidden />} onClick={() => setOpen(true)}>
          {words.open}
        </Button>
      </div>
      <p className={styles.none}>{words.lead}</p>
      {never && <p className={styles.none}>{words.never}</p>}
      {!never && <TroubleBox error={last.error} retry={() => void last.refetch()} />}
      {last.data !== undefined && !never && !open && <LastDrill answer={last.data} />}
      {open && <DrillDialog close={() => setOpen(false)} />}
    </section>
  )
}

export function LastDrill({ answer }: { readonly answer: DrillAnswer }): ReactNode {
  const { measures } = useSpeech()
  const words = useDrillWords()
  const report = drillReport.parse(JSON.parse(answer.report))
  const stem = `quorate-drill-${report.ended.slice(0, 19).replaceAll(':', '-')}`
  return (
    <>
      <p className={styles.none}>{words.last(measures.date(report.ended), report.people.join(', '))}</p>
      <p className={styles.row}>
        <span>
          <ToneIcon tone={answer.passed ? 'good' : 'bad'} /> {answer.passed ? words.passed : words.failed}
        </span>
      </p>
      {report.python === null && <p className={styles.none}>{words.noPython}</p>}
      <DrillRounds report={report} />
      <div className={styles.line}>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => saveText(`${stem}.json`, 'application/json', answer.report)}
        >
          {words.report}
        </Button>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconDownload size={16} aria-hidden />}
          onClick={() => saveText(`${stem}.html`, 'text/html', answer.page)}
        >
          {words.page}
        </Button>
      </div>
      <p className={styles.none}>{words.verify}</p>
    </>
  )
}
