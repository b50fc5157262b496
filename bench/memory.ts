// The most memory that a put and a get hold, of one large file and of one eight times as large: it must not grow with the file.
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { rounded } from './figures.ts'
import { engine, quorate } from './programs.ts'
import type { Workplace } from './workplace.ts'

const GOAL_MB = 200

export async function run(emit: (row: Record<string, unknown>) => void, workplace: Workplace): Promise<void> {
  const unit = workplace.quick ? 64 * 2 ** 20 : 2 ** 30
  for (const bytes of [unit, 8 * unit]) {
    const room = await workplace.requireRoom(4 * bytes).catch((error: unknown) => String(error))
    if (room !== undefined) {
      workplace.miss(`memory of ${bytes} bytes: ${room}`)
      continue
    }
    // Zeros weigh as much as anything else once they are split, and take no room here.
    const file = await workplace.emptyFile(bytes)
    const tell = (contender: string, what: string, rssBytes: number): void => {
      const rssMB = rounded(rssBytes / 1e6)
      emit({ bench: 'memory', contender, what, bytes, rssMB, goal: GOAL_MB, met: rssMB <= GOAL_MB })
    }
    for (const threads of [0, 1]) {
      const out = await workplace.folder()
      const site = { home: out, locations: ['a', 'b', 'c'].map((place) => `folder:${join(out, place)}`), threads }
      const contender = threads === 0 ? 'engine' : 'engine, one more thread'
      tell(contender, 'put', (await engine({ kind: 'put', ...site, file })).rssBytesMax)
      tell(contender, 'get', (await engine({ kind: 'get', ...site, file: join(out, 'back') })).rssBytesMax)
      await workplace.remove(out)
    }
    const out = await workplace.folder()
    const folders = ['a', 'b', 'c'].map((place) => join(out, place))
    for (const folder of folders) await mkdir(folder)
    const home = join(out, 'home')
    await quorate(home, ['init', '--threshold', '2', ...folders.map((folder) => `folder:${folder}`)])
    tell('bin/quorate', 'put', (await quorate(home, ['put', file, '/file'])).rssBytesMax)
    tell('bin/quorate', 'get', (await quorate(home, ['get', '/file', join(out, 'back')])).rssBytesMax)
    await workplace.remove(out)
  }
}
