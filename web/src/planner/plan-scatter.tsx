// Every choice as a mark: shapes tell layouts, rings tell the recommended, the present and the chosen one.
import type { Plan, PlanOption } from '#contract'
import type { ReactNode } from 'react'
import { shownMoney } from '../measures/money.ts'
import { useSpeech } from '../words/words.tsx'
import { pictureScale } from './plan-picture.ts'
import styles from './planner.module.css'
import { usePlannerWords } from './words.ts'

const BOX = { width: 640, height: 300 } as const
const LEFT = 56
const TOP = 12
const BOTTOM = 34
const RIGHT = 16

export function PlanScatter({ plan, chosen }: { readonly plan: Plan; readonly chosen: PlanOption | undefined }): ReactNode {
  const { measures } = useSpeech()
  const words = usePlannerWords()
  const scale = pictureScale(plan.options, BOX)
  const recommended = plan.recommended === null ? undefined : plan.options[plan.recommended]
  const current = plan.current === null ? undefined : plan.options[plan.current]
  const step = Math.max(1, Math.ceil(scale.decades / 5))
  const rings = [
    ['recommended', recommended, 10],
    ['current', current, 13],
    ['chosen', chosen, 16],
  ] as const
  const most = scale.across === 'cost' ? shownMoney(measures, scale.mostAcross, plan.currency) : measures.bytes(scale.mostAcross)
  return (
    <section className={styles.block} aria-labelledby="plan-picture">
      <h2 id="plan-picture">{words.picture}</h2>
      <svg
        className={styles.scatter}
        viewBox={`0 0 ${BOX.width + LEFT + RIGHT} ${BOX.height + TOP + BOTTOM}`}
        role="img"
        aria-label={words.pictureText(measures.number(plan.options.length))}
      >
        <g transform={`translate(${LEFT} ${TOP})`}>
          {Array.from({ length: Math.floor(scale.decades / step) + 1 }, (_, index) => index * step).map((decade) => {
            const y = BOX.height - (decade / scale.decades) * BOX.height
            return (
              <g key={decade}>
                <line x1="0" x2={BOX.width} y1={y} y2={y} className={styles.grid} />
                <text x="-8" y={y + 4} textAnchor="end">
                  {decade === 0 ? '1' : `1e-${decade}`}
                </text>
              </g>
            )
          })}
          <text x={BOX.width} y={BOX.height + 24} textAnchor="end">
            {words.across[scale.across]}: {most}
          </text>
          <text x="0" y={BOX.height + 24}>
            0
          </text>
          {plan.options.map((option) => {
            const { x, y } = scale.spotOf(option)
            const shape = { className: styles.mark, 'data-front': option.front, 'data-layout': option.layout }
            const key = option.id
            return option.layout === 'shared' ? (
              <circle key={key} cx={x} cy={y} r="5" {...shape} />
            ) : (
              <rect key={key} x={x - 4.5} y={y - 4.5} width="9" height="9" {...shape} />
            )
          })}
          {rings.map(([name, option, radius]) => {
            if (option === undefined) return null
            const { x, y } = scale.spotOf(option)
            return <circle key={name} cx={x} cy={y} r={radius} className={styles.ring} data-ring={name} />
          })}
        </g>
      </svg>
      <p className={styles.legend}>
        <span>
          <svg viewBox="0 0 12 12" aria-hidden>
            <circle cx="6" cy="6" r="5" className={styles.mark} data-front />
          </svg>
          {words.layouts.shared}
        </span>
        <span>
          <svg viewBox="0 0 12 12" aria-hidden>
            <rect x="1.5" y="1.5" width="9" height="9" className={styles.mark} data-front />
          </svg>
          {words.layouts.sealed}
        </span>
        <span>
          <svg viewBox="0 0 12 12" aria-hidden>
            <circle cx="6" cy="6" r="5" className={styles.mark} data-front="false" />
          </svg>
          {words.legend.other}
        </span>
        {rings.map(([name, option]) =>
          option === undefined ? null : (
            <span key={name}>
              <svg viewBox="0 0 12 12" aria-hidden>
                <circle cx="6" cy="6" r="4.5" className={styles.ring} data-ring={name} />
              </svg>
              {words.legend[name]}
            </span>
          ),
        )}
        <span>↑ {words.up}</span>
      </p>
    </section>
  )
}
