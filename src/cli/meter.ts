// Progress with rate and remaining time, on one line of a terminal, or line by line where somebody asked for it.
import type { Sink } from './host.ts'
import { duration, printable, size } from './words.ts'

export interface Meter {
  readonly shown: boolean
  /** What is expected in all; grows while a tree is still being counted. */
  expect(amount: { readonly bytes: number; readonly files: number }): void
  /** From now on the total is final, so a remaining time can be said. */
  counted(): void
  bytes(count: number): void
  file(name: string): void
  fileDone(): void
  /** For work that the site measures itself. */
  show(line: string): void
  clear(): Promise<void>
  close(): Promise<void>
}

const TERMINAL_MS = 150
const LINES_MS = 1000
/** The rate is that of the last so many pictures. */
const WINDOW = 20
/** What a file costs besides its bytes, so that the remaining time holds for many small ones, too. */
const FILE_COST_BYTES = 262_144

export function openMeter(sink: Sink, options: { readonly shown: boolean }): Meter {
  const done = { bytes: 0, files: 0 }
  const total = { bytes: 0, files: 0 }
  const samples: { readonly at: number; readonly bytes: number; readonly work: number }[] = []
  let complete = false
  let name = ''
  let drawn = false
  let told: string | undefined
  let writing: Promise<void> = Promise.resolve()

  const write = (text: string): Promise<void> => (writing = writing.then(() => sink.write(text)).catch(() => {}))
  const clear = async (): Promise<void> => {
    if (drawn) await write('\r\u001b[K')
    drawn = false
  }
  const workOf = (amount: { readonly bytes: number; readonly files: number }): number => amount.bytes + amount.files * FILE_COST_BYTES
  const perSecond = (unit: 'bytes' | 'work'): number => {
    const [first, last] = [samples[0], samples.at(-1)]
    if (first === undefined || last === undefined || last.at === first.at) return 0
    return ((last[unit] - first[unit]) * 1000) / (last.at - first.at)
  }
  const picture = (): string => {
    const [speed, pace, left] = [perSecond('bytes'), perSecond('work'), workOf(total) - workOf(done)]
    const parts = [total.files > 1 ? `${done.files}/${complete ? total.files : '?'} files` : '']
    parts.push(complete && total.bytes > 0 ? `${size(done.bytes)} of ${size(total.bytes)}` : size(done.bytes))
    if (complete && total.bytes > 0) parts.push(`${Math.floor((done.bytes / total.bytes) * 100)}%`)
    if (speed > 0) parts.push(`${size(speed)}/s`)
    if (complete && pace > 0 && left > 0) parts.push(`${duration(left / pace)} left`)
    parts.push(printable(name))
    return parts.filter((part) => part !== '').join('  ')
  }
  const draw = (): void => {
    samples.push({ at: performance.now(), bytes: done.bytes, work: workOf(done) })
    if (samples.length > WINDOW) samples.shift()
    const line = told ?? picture()
    if (sink.isTerminal) {
      void write(`\r\u001b[K${line.slice(0, Math.max(10, sink.columns() - 1))}`)
      drawn = true
    } else void write(`${line}\n`)
  }
  const timer = options.shown ? setInterval(draw, sink.isTerminal ? TERMINAL_MS : LINES_MS) : undefined
  timer?.unref()

  return {
    shown: options.shown,
    expect({ bytes, files }) {
      total.bytes += bytes
      total.files += files
    },
    counted: () => void (complete = true),
    bytes: (count) => void (done.bytes += count),
    file: (given) => void (name = given),
    fileDone: () => void (done.files += 1),
    show: (line) => void (told = line),
    clear,
    async close() {
      clearInterval(timer)
      if (options.shown && !sink.isTerminal) draw()
      await clear()
      await writing
    },
  }
}
