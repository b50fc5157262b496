// What a scrub or a repair has to say, bounded.
import type { Finding, Report } from '#contract'

const FINDINGS_MAX = 1000

export class Findings {
  checkedFragments = 0
  checkedBytes = 0
  repairedFragments = 0
  /** Findings of damage, apart from places that did not answer. */
  damage = 0
  readonly #findings: Finding[] = []
  #more = 0

  add(finding: Finding): void {
    if (finding.kind !== 'unreachable' && finding.kind !== 'orphan') this.damage += 1
    if (this.#findings.length < FINDINGS_MAX) this.#findings.push(finding)
    else this.#more += 1
  }

  get report(): Report {
    return {
      checkedFragments: this.checkedFragments,
      checkedBytes: this.checkedBytes,
      repairedFragments: this.repairedFragments,
      findings: [...this.#findings],
      moreFindings: this.#more,
    }
  }
}

/** Told as work goes on. */
export interface Progress {
  readonly total: (total: number) => void
  readonly add: (done: number) => void
}
