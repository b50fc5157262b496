// The English words of the page. German has the same shape; a missing or extra word is a type error there.
import type { FailureCode } from '#base'
import type { Layout } from '#contract'
import { app } from './en/app.ts'
import { change } from './en/change.ts'
import { clouds } from './en/clouds.ts'
import { details } from './en/details.ts'
import { dialogs } from './en/dialogs.ts'
import { files } from './en/files.ts'
import { fragment } from './en/fragment.ts'
import { health } from './en/health.ts'
import { lesson } from './en/lesson.ts'
import { locations } from './en/locations.ts'
import { probe } from './en/probe.ts'
import { recover } from './en/recover.ts'
import { report } from './en/report.ts'
import { resume } from './en/resume.ts'
import { servers } from './en/servers.ts'
import { setup } from './en/setup.ts'
import { sheet } from './en/sheet.ts'
import { shortcuts } from './en/shortcuts.ts'
import { signIn } from './en/sign-in.ts'
import { stopped } from './en/stopped.ts'
import { tasks } from './en/tasks.ts'
import { trash } from './en/trash.ts'
import { uploads } from './en/uploads.ts'
import { writers } from './en/writers.ts'

export const en = {
  app,
  signIn,
  stopped,
  broken: {
    title: 'This part of the page broke',
    text: 'Nothing was changed by it. Load the page again; if it happens again, tell us what you did.',
    reload: 'Load again',
  },
  lesson,
  setup,
  recover,
  sheet,
  kit: {
    get: 'Download the recovery kit',
    lead: 'One file with everything that gives the files back without this computer: a page for any browser, a program, this sheet. Access keys are not in it; sealing them to officers takes the command line (quorate kit).',
    done: 'The kit is in your downloads. Keep a copy away from this computer.',
  },
  layouts: { shared: 'shared', sealed: 'sealed' } satisfies Record<Layout, string>,
  health,
  locations,
  probe,
  clouds,
  servers,
  report,
  tasks,
  files,
  trash,
  dialogs,
  details,
  fragment,
  resume,
  uploads,
  shortcuts,
  change,
  /** English is what the site itself says; only other languages have words here. */
  problems: {} as Readonly<Record<string, string>>,
  writers,
  problemNext: {
    'storage.quorum': 'Look at the locations: bring back the ones that are away, then try again.',
    'location.unreachable': 'Bring the location back, then try again.',
    'location.full': 'Make room there, then try again.',
    'location.denied': 'Check the access keys of this location.',
    'location.untrusted': 'Ask who runs the server whether its key was changed. If not, somebody stands in between.',
    'location.not-ours': 'Choose an empty folder, or the one that belonged to this vault.',
    'storage.exists': 'Choose another name.',
    'storage.path': 'Choose another name.',
    'format.incomplete': 'Bring back a location that is away.',
    'base.internal': 'Try again. The terminal says more.',
  } satisfies Partial<Record<FailureCode, string>> as Readonly<Record<string, string>>,
  culprits: (names: string): string => `At fault: ${names}`,
  times: {
    now: 'just now',
    units: { s: 's', min: 'min', h: 'h' },
    under: 'under 1 s',
  },
}

export type Words = typeof en
