// The page: a person names places, looks, and gets files. Everything shown is text, never markup from a vault.
import { placeOfFiles, placeOfFolder, placesOfDrop } from './picked.ts'
import type { Place } from './place.ts'
import { folderTarget, matching, type Outcome, saveAll, type Target, zipTarget } from './save.ts'
import { type Given, look, lossOf, type Note, type Row, type Told, type Vault } from './vault.ts'
import { type Language, words } from './words.ts'

const ROWS_SHOWN = 500
const NOTES_SHOWN = 200

interface State {
  language: Language
  places: Place[]
  k: string
  dealer: string
  vaults: Vault[] | undefined
  outcome: Map<Vault, Outcome>
  /** What is under way, and how to stop it. */
  busy: { readonly stop: AbortController; text: string; share: number | undefined } | undefined
  said: string
  filter: string
}

const state: State = {
  language: navigator.language.toLowerCase().startsWith('de') ? 'de' : 'en',
  places: [],
  k: '',
  dealer: '',
  vaults: undefined,
  outcome: new Map(),
  busy: undefined,
  said: '',
  filter: '',
}

type Child = Node | string | undefined | readonly Child[]

function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, string | boolean | ((event: Event) => unknown)>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key, value)
    else if (value === true) element.setAttribute(key, '')
    else if (value !== false) element.setAttribute(key, value)
  }
  const put = (child: Child): void => {
    if (child === undefined) return
    if (typeof child === 'string' || child instanceof Node) element.append(child)
    else for (const one of child) put(one)
  }
  put(children)
  return element
}

const root = document.querySelector('#page')!
const live = make('p', { role: 'status', 'aria-live': 'polite', id: 'live' })
const bar = make('progress', { id: 'progress', max: '1' })
const barText = make('p', { id: 'progress-text' })

function draw(): void {
  const w = words[state.language]
  document.documentElement.lang = state.language
  document.title = w.title
  const focused = document.activeElement?.id
  root.replaceChildren(
    make(
      'main',
      {},
      make('button', { click: speakOther, lang: state.language === 'en' ? 'de' : 'en', id: 'language' }, w.language),
      make('h1', {}, w.title),
      make('p', {}, w.lead),
      make('p', { class: 'dim' }, w.offline),
      places(),
      sheet(),
      make('p', {}, make('button', { class: 'main', id: 'look', click: begin, disabled: state.places.length === 0 || busy() }, w.look)),
      working(),
      live,
      (state.vaults ?? []).map(vaultCard),
      state.vaults?.length === 0
        ? make('div', { class: 'card', id: 'nothing' }, make('p', {}, w.nothing), make('p', {}, w.nothingNext))
        : undefined,
      make('h2', {}, w.trust),
      w.trustText.map((text) => make('p', { class: 'dim' }, text)),
      make('p', { class: 'dim' }, w.large),
    ),
  )
  live.textContent = state.said
  if (focused !== undefined && focused !== '') document.getElementById(focused)?.focus()
}

function places(): Child {
  const w = words[state.language]
  const folder = make('input', { type: 'file', id: 'folder', webkitdirectory: true, multiple: true, disabled: busy(), change: tookFolder })
  const files = make('input', { type: 'file', id: 'files', multiple: true, disabled: busy(), change: tookFiles })
  return [
    make('h2', {}, w.places),
    make('p', {}, w.placesText),
    make(
      'div',
      { class: 'card drop', id: 'drop', dragover: over, dragleave: left, drop: dropped },
      make('p', {}, w.drop),
      make('label', { class: 'pick' }, w.folder, folder),
      make('label', { class: 'pick' }, w.files, files),
    ),
    state.places.length === 0
      ? make('p', { class: 'dim' }, w.none)
      : make(
          'ul',
          { id: 'places' },
          state.places.map((place) =>
            make(
              'li',
              {},
              `${w.placeFiles(place.label, place.files.length)} `,
              make('button', { 'aria-label': w.remove(place.label), disabled: busy(), click: () => drop(place) }, '×'),
            ),
          ),
        ),
  ]
}

function sheet(): Child {
  const w = words[state.language]
  const k = make('input', { type: 'number', id: 'k', min: '2', max: '255', value: state.k, disabled: busy() })
  k.addEventListener('input', () => void (state.k = k.value))
  const dealer = make('input', {
    type: 'text',
    id: 'dealer',
    value: state.dealer,
    autocomplete: 'off',
    spellcheck: 'false',
    disabled: busy(),
  })
  dealer.addEventListener('input', () => void (state.dealer = dealer.value))
  return [
    make('h2', {}, w.sheet),
    make('p', {}, w.sheetText),
    make('label', { class: 'field' }, w.k, k),
    make('label', { class: 'field' }, w.dealer, dealer),
  ]
}

function working(): Child {
  if (state.busy === undefined) return undefined
  const w = words[state.language]
  const { stop } = state.busy
  bar.setAttribute('aria-label', w.progress)
  tick()
  return make('div', { class: 'card' }, barText, bar, make('button', { id: 'cancel', click: () => stop.abort() }, w.cancel))
}

function tick(): void {
  if (state.busy === undefined) return
  barText.textContent = state.busy.text
  if (state.busy.share === undefined) bar.removeAttribute('value')
  else bar.value = state.busy.share
}

function vaultCard(vault: Vault): Child {
  const w = words[state.language]
  const { head, complaint } = vault.choice
  const { dealer } = vault
  const line = (text: string, bad = false): Child => make('p', bad ? { class: 'bad' } : {}, text)
  return make(
    'section',
    { class: 'card vault', 'aria-label': w.vault(vault.name ?? vault.id.slice(0, 8)) },
    make('h2', {}, w.vault(vault.name ?? vault.id.slice(0, 8))),
    make('p', { class: 'dim' }, make('code', {}, vault.id)),
    line(head === undefined ? w.ruleNone(vault.floor) : w.rule(head.k, head.n)),
    complaint === undefined ? undefined : line(w.complaint[complaint], true),
    dealer === undefined ? line(w.dealerNone, true) : line(dealer.known === 'sheet' ? w.dealerSheet : w.dealerVault),
    dealer === undefined ? undefined : make('p', {}, make('code', { class: 'dealer' }, dealer.fingerprint)),
    vault.mayBeStale ? line(w.stale) : undefined,
    vault.catalogue === 'broken' ? line(w.broken, true) : undefined,
    vault.catalogue === 'none' ? line(w.noCatalogue) : undefined,
    vault.trashed > 0 ? line(w.trashed(vault.trashed)) : undefined,
    vault.unknownLines > 0 ? line(w.unknown(vault.unknownLines)) : undefined,
    vault.away.length === 0
      ? undefined
      : [
          line(w.away),
          make(
            'ul',
            { class: 'away' },
            vault.away.map(({ label, place }) => make('li', {}, label === place ? place : `${label}: ${place}`)),
          ),
        ],
    make(
      'p',
      {},
      make('button', { class: 'main save-all', disabled: busy(), click: () => saveZip(vault) }, w.saveAll),
      'showDirectoryPicker' in globalThis
        ? make('button', { class: 'save-into', disabled: busy(), click: () => saveInto(vault) }, w.saveInto)
        : undefined,
    ),
    outcomeOf(vault),
    noteList(vault),
    table(vault),
    make('p', { class: 'dim' }, w.versions),
  )
}

function table(vault: Vault): Child {
  const w = words[state.language]
  const body = make('tbody')
  const more = make('p', { class: 'dim' })
  const fill = (): void => {
    const found = matching(vault.rows, state.filter)
    body.replaceChildren(...found.slice(0, ROWS_SHOWN).map((row) => fileRow(vault, row)))
    more.textContent = found.length > ROWS_SHOWN ? w.more(found.length - ROWS_SHOWN) : ''
  }
  const filter = make('input', { type: 'text', id: `filter-${vault.id}`, value: state.filter })
  filter.addEventListener('input', () => {
    state.filter = filter.value
    fill()
  })
  fill()
  return [
    make('label', { class: 'field' }, w.filter, filter),
    make(
      'table',
      {},
      make('caption', { class: 'dim' }, w.table),
      make(
        'thead',
        {},
        make(
          'tr',
          {},
          make('th', { scope: 'col' }, w.path),
          make('th', { scope: 'col', class: 'number' }, w.size),
          make('th', { scope: 'col' }, w.modified),
          make('th', { scope: 'col' }, w.saveShort),
        ),
      ),
      body,
    ),
    more,
  ]
}

function fileRow(vault: Vault, row: Row): HTMLTableRowElement {
  const w = words[state.language]
  const time = new Date(row.modified)
  return make(
    'tr',
    {},
    make('td', {}, row.path),
    make('td', { class: 'number' }, row.size === undefined ? '' : row.size.toLocaleString(state.language)),
    make('td', {}, Number.isNaN(time.getTime()) ? '' : time.toLocaleString(state.language, { dateStyle: 'medium', timeStyle: 'short' })),
    make(
      'td',
      {},
      make('button', { 'aria-label': w.save(row.path), disabled: busy() || row.conflict, click: () => saveOne(vault, row) }, w.saveShort),
    ),
  )
}

function outcomeOf(vault: Vault): Child {
  const outcome = state.outcome.get(vault)
  if (outcome === undefined) return undefined
  const w = words[state.language]
  const { files, lost, renamed, notSigned } = outcome
  return make(
    'div',
    { class: 'outcome' },
    make('p', {}, w.done(files)),
    notSigned === 0 ? undefined : make('p', { class: 'bad' }, w.notSigned(notSigned)),
    lost.length === 0
      ? undefined
      : [
          make('p', { class: 'bad' }, w.lost(lost.length)),
          make(
            'ul',
            { class: 'lost' },
            lost.slice(0, NOTES_SHOWN).map(({ path, code }) => make('li', {}, `${path}: ${w.losses[code] ?? w.lossOther}`)),
          ),
          make('p', {}, w.lostNext),
        ],
    renamed.slice(0, NOTES_SHOWN).map(({ path, name }) => make('p', {}, w.renamed(path, name))),
    vault.notes.length === 0 && lost.length === 0 ? make('p', {}, w.clean) : undefined,
  )
}

function noteList(vault: Vault): Child {
  if (vault.notes.length === 0) return undefined
  const w = words[state.language]
  const text = ({ place, file, wrong }: Note): string => `${place}${file === '' ? '' : `: ${file}`}: ${w.wrong[wrong]}`
  return [
    make('p', { class: 'bad' }, w.wrongTitle),
    make(
      'ul',
      { class: 'notes' },
      vault.notes.slice(0, NOTES_SHOWN).map((note) => make('li', {}, text(note))),
    ),
    make('p', {}, w.wrongNext),
  ]
}

function busy(): boolean {
  return state.busy !== undefined
}

/** Runs long work with a way to stop it; what it throws is said. */
async function run(work: (stop: AbortController) => Promise<void>): Promise<void> {
  const stop = new AbortController()
  state.busy = { stop, text: '', share: undefined }
  state.said = ''
  draw()
  document.getElementById('cancel')?.focus()
  try {
    await work(stop)
  } catch (error) {
    state.said = stop.signal.aborted ? words[state.language].cancelled : error instanceof Error ? error.message : String(error)
  } finally {
    state.busy = undefined
    draw()
  }
}

function told(): Told | undefined {
  const dealer = state.dealer.toLowerCase().replaceAll(/[\s:-]/g, '')
  if (dealer !== '' && !/^[0-9a-f]{64}$/.test(dealer)) {
    state.said = words[state.language].dealerWrong
    draw()
    return undefined
  }
  const k = Number.parseInt(state.k, 10)
  return { dealer: dealer === '' ? undefined : dealer, k: k >= 2 && k <= 255 ? k : undefined }
}

function begin(): void {
  const given = told()
  if (given === undefined) return
  state.vaults = undefined
  state.outcome.clear()
  void run(async (stop) => {
    state.vaults = await look(state.places, given, {
      signal: stop.signal,
      progress: (done, total) => {
        if (state.busy === undefined) return
        state.busy.text = words[state.language].looking(done, total)
        state.busy.share = total === 0 ? undefined : done / total
        tick()
      },
    })
  })
}

async function saveTo(vault: Vault, target: Target, stop: AbortController): Promise<void> {
  const outcome = await saveAll(vault, target, {
    signal: stop.signal,
    progress: (path, done, total) => {
      if (state.busy === undefined) return
      state.busy.text = words[state.language].reading(path)
      state.busy.share = total === 0 ? undefined : done / total
      tick()
    },
  })
  state.outcome.set(vault, outcome)
  state.said = words[state.language].done(outcome.files)
}

function saveZip(vault: Vault): void {
  void run(async (stop) => {
    const target = zipTarget()
    await saveTo(vault, target, stop)
    offer(target.finish(), `quorate-${vault.id.slice(0, 8)}.zip`)
  })
}

function saveInto(vault: Vault): void {
  const picker = globalThis as unknown as { showDirectoryPicker(options: { mode: string }): Promise<FileSystemDirectoryHandle> }
  void run(async (stop) => saveTo(vault, folderTarget(await picker.showDirectoryPicker({ mode: 'readwrite' })), stop))
}

function saveOne(vault: Vault, row: Row): void {
  void run(async (stop) => {
    let given: Given
    try {
      given = await vault.give(row, stop.signal, (bytes) => {
        if (state.busy === undefined || row.size === undefined || row.size === 0) return
        state.busy.text = words[state.language].reading(row.path)
        state.busy.share = Math.min(1, (state.busy.share ?? 0) + bytes / row.size)
        tick()
      })
    } catch (error) {
      if (stop.signal.aborted) throw error
      const w = words[state.language]
      state.said = `${row.path}: ${w.losses[lossOf(error)] ?? w.lossOther}. ${w.lostNext}`
      return
    }
    offer(given.data, row.path.split('/').at(-1) ?? 'file')
    state.said = words[state.language].done(1)
  })
}

function offer(data: Blob, name: string): void {
  const address = URL.createObjectURL(data)
  const link = make('a', { href: address, download: name })
  document.body.append(link)
  link.click()
  link.remove()
  setTimeout(() => URL.revokeObjectURL(address), 60_000)
}

function addPlaces(found: readonly Place[]): void {
  for (const { label, files } of found) {
    let free = label
    for (let number = 2; state.places.some((place) => place.label === free); number++) free = `${label} (${number})`
    state.places.push({ label: free, files })
  }
  state.vaults = undefined
  draw()
}

function drop(place: Place): void {
  state.places = state.places.filter((one) => one !== place)
  state.vaults = undefined
  draw()
}

function tookFolder(event: Event): void {
  const input = event.target as HTMLInputElement
  const place = placeOfFolder(Array.from(input.files ?? []), nextLabel())
  if (place !== undefined) addPlaces([place])
}

function tookFiles(event: Event): void {
  const input = event.target as HTMLInputElement
  const place = placeOfFiles(Array.from(input.files ?? []), nextLabel())
  if (place !== undefined) addPlaces([place])
}

function nextLabel(): string {
  return words[state.language].place(state.places.length + 1)
}

function over(event: Event): void {
  event.preventDefault()
  document.querySelector('#drop')?.classList.add('over')
}

function left(): void {
  document.querySelector('#drop')?.classList.remove('over')
}

function dropped(event: Event): void {
  event.preventDefault()
  left()
  const items = (event as DragEvent).dataTransfer?.items
  if (items === undefined || busy()) return
  void placesOfDrop(items).then(addPlaces, (error: unknown) => {
    state.said = String(error)
    draw()
  })
}

function speakOther(): void {
  state.language = state.language === 'en' ? 'de' : 'en'
  draw()
}

// A folder that misses the drop zone must not make the browser leave the page.
for (const name of ['dragover', 'drop']) document.addEventListener(name, (event) => event.preventDefault())
draw()
