// What a check or a repair found: who is at fault, in which file, and what.
import type { Report } from '#contract'
import type { ReactNode } from 'react'
import { useSpeech } from '../words/words.tsx'
import styles from './task-list.module.css'

const SHOWN = 100

export function ReportView({ report, open }: { readonly report: Report; readonly open: boolean }): ReactNode {
  const { words, measures } = useSpeech()
  const { findings } = report
  const hidden = Math.max(0, findings.length - SHOWN) + report.moreFindings
  return (
    <details className={styles.report} open={open}>
      <summary>{findings.length === 0 ? words.report.title : words.report.findings(findings.length + report.moreFindings)}</summary>
      <p>
        {report.checkedFragments > 0 && words.report.checked(report.checkedFragments, measures.bytes(report.checkedBytes))}{' '}
        {report.repairedFragments > 0 && words.report.repaired(report.repairedFragments)} {findings.length === 0 && words.report.clean}
      </p>
      {findings.length > 0 && (
        <table className={styles.findings} aria-label={words.report.title}>
          <thead>
            <tr>
              <th>{words.report.at}</th>
              <th>{words.report.what}</th>
              <th>{words.report.file}</th>
            </tr>
          </thead>
          <tbody>
            {findings.slice(0, SHOWN).map((finding) => (
              <tr key={`${finding.location} ${finding.fragment} ${finding.kind}`}>
                <td>{finding.location}</td>
                <td title={finding.detail}>{words.report.kinds[finding.kind]}</td>
                <td>{finding.path}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {hidden > 0 && <p>{words.report.more(hidden)}</p>}
    </details>
  )
}
