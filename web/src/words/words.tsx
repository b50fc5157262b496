// Which language the page speaks: the browser's first, a choice of the person kept in localStorage before that. Only its words are loaded.
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import type { Words } from './en.ts'
import { createMeasures, type Measures } from '../measures/measures.ts'
import { recall, remember } from '../app/remember.ts'
import { noteReach } from '../site/reach.ts'

export type Language = 'en' | 'de'
export const LANGUAGES: readonly { readonly code: Language; readonly name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'de', name: 'Deutsch' },
]

const DICTIONARIES: Readonly<Record<Language, () => Promise<Words>>> = {
  en: async () => (await import('./en.ts')).en,
  de: async () => (await import('./de.ts')).de,
}

export interface Spoken {
  readonly language: Language
  readonly words: Words
}

/** The language that the page begins with, with its words. */
export async function firstSpoken(): Promise<Spoken> {
  const language = firstLanguage(recall('language'), navigator.languages)
  return { language, words: await DICTIONARIES[language]() }
}

interface Speech {
  readonly language: Language
  readonly words: Words
  readonly measures: Measures
  readonly speak: (language: Language) => void
}

const SpeechContext = createContext<Speech | undefined>(undefined)

export function SpeechProvider({ first, children }: { readonly first: Spoken; readonly children: ReactNode }): ReactNode {
  const [{ language, words }, setSpoken] = useState(first)
  const speech = useMemo<Speech>(
    () => ({
      language,
      words,
      measures: createMeasures(localeFor(language, navigator.languages), words),
      speak: (next) => {
        remember('language', next)
        // Without an answer of the site the page stays as it is; the choice is remembered for when it comes back.
        DICTIONARIES[next]().then(
          (loaded) => setSpoken({ language: next, words: loaded }),
          () => noteReach('stopped'),
        )
      },
    }),
    [language, words],
  )
  useEffect(() => {
    document.documentElement.lang = language
  }, [language])
  return <SpeechContext value={speech}>{children}</SpeechContext>
}

export function useSpeech(): Speech {
  const speech = use(SpeechContext)
  if (speech === undefined) throw new Error('no SpeechProvider above')
  return speech
}

export function useWords(): Words {
  return useSpeech().words
}

/** The remembered language, else the first of the browser's that we speak, else English. */
export function firstLanguage(remembered: string | null, wanted: readonly string[]): Language {
  const known = (tag: string): Language | undefined => LANGUAGES.find((language) => tag.toLowerCase().split('-')[0] === language.code)?.code
  return (remembered === null ? undefined : known(remembered)) ?? wanted.map(known).find((code) => code !== undefined) ?? 'en'
}

/** The person's own region of that language (de-AT, en-GB), for numbers and dates. Some systems give tags that Intl does not know. */
export function localeFor(language: Language, wanted: readonly string[]): string {
  return wanted.find((tag) => tag.toLowerCase().startsWith(`${language}-`) && isLocale(tag)) ?? language
}

function isLocale(tag: string): boolean {
  try {
    return Intl.getCanonicalLocales(tag).length === 1
  } catch {
    return false
  }
}
