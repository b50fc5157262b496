// Who it is, in the one place where that stands; hidden for those who look over the shoulder.
import { Button } from '@mantine/core'
import { IconEye, IconEyeOff } from '@tabler/icons-react'
import { useState, type ReactNode } from 'react'
import { recall, remember } from '../../app/remember.ts'
import { useSpeech } from '../../words/words.tsx'
import { useViewWords } from '../words.ts'
import type { DicomFile } from './dicom-file.ts'
import styles from './dicom.module.css'

const FIELDS = {
  name: 0x00100010,
  id: 0x00100020,
  birth: 0x00100030,
  sex: 0x00100040,
  study: 0x00081030,
  date: 0x00080020,
  modality: 0x00080060,
  description: 0x0008103e,
  institution: 0x00080080,
} as const

export function PatientBar({ dicom }: { readonly dicom: DicomFile }): ReactNode {
  const words = useViewWords()
  const { language } = useSpeech()
  const [hidden, setHidden] = useState(() => recall('patient') === 'hidden')
  const turn = (): void => {
    remember('patient', hidden ? 'shown' : 'hidden')
    setHidden(!hidden)
  }
  const facts = (Object.keys(FIELDS) as (keyof typeof FIELDS)[])
    .map((field) => ({ field, value: readable(field, dicom.string(FIELDS[field]), language) }))
    .filter(({ value }) => value !== '')
  return (
    <section className={styles.patient} aria-label={words.dicom.patient} data-testid="patient">
      {hidden ? (
        <span className={styles.hidden}>{words.dicom.hidden}</span>
      ) : (
        <dl>
          {facts.map(({ field, value }) => (
            <div key={field}>
              <dt>{words.dicom.names[field]}</dt>
              <dd>{value}</dd>
            </div>
          ))}
        </dl>
      )}
      <Button
        size="compact-sm"
        variant="default"
        leftSection={hidden ? <IconEye size={16} aria-hidden /> : <IconEyeOff size={16} aria-hidden />}
        onClick={turn}
      >
        {hidden ? words.dicom.show : words.dicom.hide}
      </Button>
    </section>
  )
}

/** Names as people write them (PS3.5, 6.2.1), dates as they read them. */
function readable(field: keyof typeof FIELDS, value: string, language: string): string {
  if (field === 'name') {
    const [first = ''] = value.split('=')
    const [family = '', given = '', middle = '', prefix = '', suffix = ''] = first.split('^')
    return [prefix, given, middle, family, suffix].filter((part) => part !== '').join(' ')
  }
  const date = /^(\d{4})\.?(\d\d)\.?(\d\d)$/.exec(value)
  if ((field !== 'birth' && field !== 'date') || date === null) return value
  const day = new Date(Date.UTC(Number(date[1]), Number(date[2]) - 1, Number(date[3])))
  return Number.isNaN(day.getTime()) ? value : new Intl.DateTimeFormat(language, { dateStyle: 'medium', timeZone: 'UTC' }).format(day)
}
