// Die deutschen Wörter der Seite.
import { app } from './de/app.ts'
import { change } from './de/change.ts'
import { clouds } from './de/clouds.ts'
import { details } from './de/details.ts'
import { dialogs } from './de/dialogs.ts'
import { files } from './de/files.ts'
import { fragment } from './de/fragment.ts'
import { health } from './de/health.ts'
import { lesson } from './de/lesson.ts'
import { locations } from './de/locations.ts'
import { probe } from './de/probe.ts'
import { problems } from './de/problems.ts'
import { recover } from './de/recover.ts'
import { report } from './de/report.ts'
import { resume } from './de/resume.ts'
import { servers } from './de/servers.ts'
import { setup } from './de/setup.ts'
import { sheet } from './de/sheet.ts'
import { shortcuts } from './de/shortcuts.ts'
import { signIn } from './de/sign-in.ts'
import { stopped } from './de/stopped.ts'
import { tasks } from './de/tasks.ts'
import { trash } from './de/trash.ts'
import { uploads } from './de/uploads.ts'
import { writers } from './de/writers.ts'
import type { Words } from './en.ts'

export const de: Words = {
  app,
  signIn,
  stopped,
  broken: {
    title: 'Dieser Teil der Seite ist ausgefallen',
    text: 'Geändert wurde dadurch nichts. Laden Sie die Seite neu; geschieht es wieder, sagen Sie uns, was Sie getan haben.',
    reload: 'Neu laden',
  },
  lesson,
  setup,
  recover,
  sheet,
  kit: {
    get: 'Wiederherstellungssatz herunterladen',
    lead: 'Eine Datei mit allem, was die Dateien ohne diesen Rechner zurückbringt: eine Seite für jeden Browser, ein Programm, dieses Blatt. Zugangsschlüssel sind nicht darin; für benannte Verantwortliche versiegelt sie die Befehlszeile (quorate kit).',
    done: 'Der Satz liegt in Ihren Downloads. Verwahren Sie eine Kopie fern von diesem Rechner.',
  },
  layouts: { shared: 'geteilt', sealed: 'versiegelt' },
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
  problems,
  writers,
  problemNext: {
    'storage.quorum': 'Sehen Sie nach den Orten: Holen Sie die fehlenden zurück, dann noch einmal.',
    'location.unreachable': 'Holen Sie den Ort zurück, dann noch einmal.',
    'location.full': 'Schaffen Sie dort Platz, dann noch einmal.',
    'location.denied': 'Prüfen Sie die Zugangsschlüssel dieses Ortes.',
    'location.untrusted': 'Fragen Sie, wer den Server betreibt, ob sein Schlüssel gewechselt hat. Wenn nicht, steht jemand dazwischen.',
    'location.not-ours': 'Wählen Sie einen leeren Ordner, oder den, der zu diesem Tresor gehörte.',
    'storage.exists': 'Wählen Sie einen anderen Namen.',
    'storage.path': 'Wählen Sie einen anderen Namen.',
    'format.incomplete': 'Holen Sie einen fehlenden Ort zurück.',
    'base.internal': 'Versuchen Sie es noch einmal. Im Terminal steht mehr.',
  },
  culprits: (names) => `Verursacht von: ${names}`,
  times: {
    now: 'gerade eben',
    units: { s: 's', min: 'min', h: 'h' },
    under: 'unter 1 s',
  },
}
