// What a repair could not do, and why: where the person pressed the button.
import type { Task } from '#contract'
import { useEffect, type ReactNode } from 'react'
import { announce } from '../app/announce.tsx'
import { TroubleText } from '../app/trouble-box.tsx'
import { troubleOfProblem } from '../site/trouble.ts'
import { useWords } from '../words/words.tsx'

export function RepairOutcome({ task }: { readonly task: Task }): ReactNode {
  const words = useWords()
  const findings = task.report?.findings ?? []
  const reasons = [...new Set(findings.map(({ location, kind }) => `${location}: ${words.report.kinds[kind]}`))]
  const left = reasons.length === 0 ? undefined : `${words.report.unrepaired} ${reasons.join('; ')}.`
  useEffect(() => {
    if (left !== undefined) announce(left)
  }, [left])
  if (task.problem !== null) return <TroubleText trouble={troubleOfProblem(task.problem, words)} />
  return left === undefined ? null : <span>{left}</span>
}
