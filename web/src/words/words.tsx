// Which language the page speaks: the browser's first, a choice of the person kept in localStorage before that.
import { createContext, use, useEffect, useMemo, useState, type ReactNode } from 'react'
import { de } from './de.ts'
import { en, type Words } from './en.ts'
import { createMeasures, type Measures } from '../measures/measures.ts'
import { recall, remember } from '../app/remember.ts'

export type Language = 'en' | 'de'
export const LANGUAGES: readonly { readonly code: Language; readonly name: string }[] = [
  { code: 'en', name: 'English' },
  { code: 'de', name: 'Deutsch' },
]

const DICTIONARIES = { en, de } satisfies Record<Language, Words>

interface Speech {
  readonly language: Language
  readonly words: Words
  readonly measures: Measures
  readonly speak: (language: Language) => void
}

const SpeechContext = createContext<Speech | undefined>(undefined)

export function SpeechProvider({ children }: { readonly children: ReactNode }): ReactNode {
  const [language, setLanguage] = useState<Language>(() => firstLanguage(recall('language'), navigator.languages))
  const speech = useMemo<Speech>(
    () => ({
      language,
      words: DICTIONARIES[language],
      measures: createMeasures(localeFor(language, navigator.languages), DICTIONARIES[language]),
      speak: (next) => {
        remember('language', next)
        setLanguage(next)
      },
    }),
    [language],
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
