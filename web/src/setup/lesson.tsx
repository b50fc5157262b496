// The picture that explains the vault: three places to take away, and a file that opens or is noise.
import { useId, useState, type ReactNode } from 'react'
import { noisePath } from '../pictures/noise.ts'
import { useWords } from '../words/words.tsx'
import styles from './lesson.module.css'

const LETTERS = ['A', 'B', 'C'] as const
const THRESHOLD = 2
const NOISE = LETTERS.map((_, index) => noisePath(index + 3, 14, 56))
const NOISE_OF_FILE = noisePath(99, 22, 88)

export function Lesson(): ReactNode {
  const { lesson } = useWords()
  const [there, setThere] = useState<readonly boolean[]>([true, true, true])
  const count = there.filter(Boolean).length
  const opens = count >= THRESHOLD
  const sentence = [lesson.none, lesson.one, lesson.two, lesson.all][count] ?? ''
  const title = useId()
  return (
    <section className={styles.lesson} aria-labelledby={title}>
      <h2 id={title} className={styles.title}>
        {lesson.title}
      </h2>
      <p className={styles.text}>{lesson.text}</p>
      <div className={styles.scene}>
        <svg viewBox="0 0 360 250" className={styles.picture} aria-hidden focusable="false">
          {LETTERS.map((letter, index) => (
            <path
              key={letter}
              className={styles.way}
              data-there={there[index]}
              d={`M${60 + index * 120} 92C${60 + index * 120} 130 180 108 180 148`}
            />
          ))}
          {LETTERS.map((letter, index) => (
            <g key={letter} transform={`translate(${26 + index * 120} 20)`} className={styles.place} data-there={there[index]}>
              <rect width="68" height="68" rx="14" />
              <path d={NOISE[index]} transform="translate(6 6)" className={styles.grain} />
            </g>
          ))}
          <g transform="translate(132 146)">
            {opens ? (
              <g className={styles.file}>
                <path d="M10 0h54l24 24v66a10 10 0 0 1-10 10H10A10 10 0 0 1 0 90V10A10 10 0 0 1 10 0z" />
                <path d="M64 0v24h24" />
                <circle cx="44" cy="58" r="20" />
                <path d="M36 50c5-5 13-5 16 1s-2 14-9 14-12-9-7-15z" />
              </g>
            ) : (
              <g className={styles.blank}>
                <rect width="92" height="92" rx="12" y="4" x="-2" />
                <path d={NOISE_OF_FILE} transform="translate(0 6)" className={styles.grain} data-off={count === 0} />
              </g>
            )}
          </g>
        </svg>
        <div className={styles.toggles} role="group" aria-label={lesson.try}>
          {LETTERS.map((letter, index) => (
            <button
              key={letter}
              type="button"
              className={styles.toggle}
              aria-pressed={there[index] ?? false}
              onClick={() => setThere(there.map((value, at) => (at === index ? !value : value)))}
            >
              {lesson.place(letter)} <small>{there[index] === true ? lesson.there : lesson.gone}</small>
            </button>
          ))}
        </div>
      </div>
      <p className={styles.said} data-opens={opens} role="status">
        {sentence}
      </p>
      <p className={styles.hint}>{lesson.try}</p>
    </section>
  )
}
