// What alarms are called, in both languages: codes, labels of locations and numbers. No names of files or of people ever stand here.
import { CODES } from '#base'

type Language = 'en' | 'de'
type Facts = { readonly culprits: readonly string[]; readonly numbers: Readonly<Record<string, number>> }
interface Words {
  readonly title: string
  readonly text?: (facts: Facts) => string
  readonly next: string
}

const many = (n: number | undefined, one: string, more: string): string => (n === 1 ? `1 ${one}` : `${n ?? 0} ${more}`)
const at = ({ culprits }: Facts, word: string, none: string): string => (culprits.length === 0 ? none : `${word} ${culprits.join(', ')}`)

const en: Readonly<Record<string, Words>> = {
  'location.unreachable': {
    title: 'A location does not answer',
    text: (facts) =>
      `${at(facts, 'Location', 'A location')}. ${many(facts.numbers['reachable'], 'location answers', 'locations answer')}, ${facts.numbers['needed'] ?? 0} are needed to read.`,
    next: 'Look whether it is switched on, reachable and paid for. The vault goes on without it as long as enough of the others answer.',
  },
  'location.not-ours': {
    title: 'A location was emptied, or is another one',
    text: (facts) => `${at(facts, 'Location', 'A location')} answers, but what belongs to the vault is gone there.`,
    next: 'Find out who emptied or replaced it. When that is known, fill it again: repair.',
  },
  'location.lies': {
    title: 'A location gave wrong bytes',
    text: (facts) =>
      `${at(facts, 'Location', 'A location')}: ${many(facts.numbers['fragments'], 'fragment is', 'fragments are')} not as they were stored. Files are still right: wrong fragments are never used.`,
    next: 'Repair writes them again. Find out whether the disk fails or somebody changed them; a record of a breach was begun.',
  },
  'location.full': {
    title: 'A location is full',
    text: (facts) => `${at(facts, 'Location', 'A location')} takes nothing more.`,
    next: 'Make room there, or raise its quota; what it lacks is written by repair.',
  },
  'location.denied': {
    title: 'A location refuses our credentials',
    text: (facts) => `${at(facts, 'Location', 'A location')} does not let this site in.`,
    next: 'Check whether its access key was changed, blocked or has ended.',
  },
  'location.untrusted': {
    title: 'A location cannot prove that it is the right one',
    text: (facts) => `${at(facts, 'Location', 'A location')} shows another key or certificate than before.`,
    next: 'Ask who runs the server whether that was changed. If not, somebody stands in between.',
  },
  'storage.no-redundancy': {
    title: 'Files have no spare left',
    text: ({ numbers }) => `${many(numbers['files'], 'file bears', 'files bear')} no further loss of a location.`,
    next: 'Bring missing locations back and repair, before another one fails.',
  },
  'storage.repair-due': {
    title: 'Damage waits for repair',
    text: ({ numbers }) =>
      `${many(numbers['fragments'], 'fragment has', 'fragments have')} to be written again, the oldest since ${numbers['hours'] ?? 0} h${numbers['before'] === undefined ? '' : `; a day ago it were ${numbers['before']}`}.`,
    next: 'See on the page of health what repair waits for, and start it: quorate repair.',
  },
  'format.incomplete': {
    title: 'Some files cannot be opened now',
    text: ({ numbers }) => `Fewer locations answer than the ${numbers['needed'] ?? 0} that are needed, or hold too little.`,
    next: 'Bring locations back; nothing is deleted.',
  },
  'storage.mass-loss': {
    title: 'A location lost much at once',
    text: (facts) =>
      `${at(facts, 'Location', 'A location')} lost or changed many fragments at once, as when somebody empties or overwrites it. It is not filled again by itself.`,
    next: 'Find out what happened and change its access key; then repair. A record of a breach was begun.',
  },
  'storage.fork': {
    title: 'Two histories of the vault came to light',
    next: 'Look at the page of locations: who wrote them, and which one is right. A record of a breach was begun.',
  },
  'storage.head': {
    title: 'What the site shows may not be the newest',
    next: 'Bring more locations back; it settles by itself when enough of them say which state is the newest.',
  },
  'audit.tampered': {
    title: 'The audit log was changed',
    next: 'Copy the home away before anything else happens to it, and verify the copy: quorate verify-audit. A record of a breach was begun.',
  },
  'main.disk': {
    title: 'The disk of the site is nearly full',
    text: ({ numbers }) => `${numbers['percent'] ?? 0} % are free.`,
    next: 'Make room; without any the vault can only be read.',
  },
  'api.certificate': {
    title: 'The certificate in the files is not usable',
    text: () => 'The one from before is still served.',
    next: 'Put a certificate and a key in their place that fit each other and the name of the site; they are taken up by themselves.',
  },
  'api.certificate-ends': {
    title: 'The certificate of the site ends soon',
    text: ({ numbers }) => `It ends in ${many(numbers['days'], 'day', 'days')}.`,
    next: 'Renew it and write it over the old files; it is taken up without a restart.',
  },
  'identity.wait': {
    title: 'Many sign-ins failed',
    text: ({ numbers }) => `${many(numbers['count'], 'attempt was', 'attempts were')} put off since too many had failed before.`,
    next: 'Ask the people concerned whether it was them. If not, somebody guesses passwords: passkeys cannot be guessed.',
  },
  'alarms.delivery': {
    title: 'Alarms could not be delivered',
    text: ({ numbers }) => `${many(numbers['waiting'], 'message waits', 'messages wait')}, ${numbers['failed'] ?? 0} were given up.`,
    next: 'Look at the messages on this page, mend the way, and try it there.',
  },
  'alarms.breach-due': {
    title: 'A record of a breach waits for a decision',
    text: ({ numbers }) =>
      (numbers['hours'] ?? 0) < 0
        ? 'The 72 hours of Art. 33 GDPR are over.'
        : `${numbers['hours'] ?? 0} of the 72 hours of Art. 33 GDPR are left.`,
    next: 'The data protection officer decides whether the authority is to be told, and writes it into the record.',
  },
}

const de: Readonly<Record<string, Words>> = {
  'location.unreachable': {
    title: 'Ein Ort antwortet nicht',
    text: (facts) =>
      `${at(facts, 'Ort', 'Ein Ort')}. ${many(facts.numbers['reachable'], 'Ort antwortet', 'Orte antworten')}, ${facts.numbers['needed'] ?? 0} sind zum Lesen nötig.`,
    next: 'Sehen Sie nach, ob er läuft, erreichbar und bezahlt ist. Der Tresor arbeitet ohne ihn weiter, solange genug andere antworten.',
  },
  'location.not-ours': {
    title: 'Ein Ort wurde geleert oder ist ein anderer',
    text: (facts) => `${at(facts, 'Ort', 'Ein Ort')} antwortet, aber was zum Tresor gehört, ist dort weg.`,
    next: 'Klären Sie, wer ihn geleert oder ersetzt hat. Danach füllt ihn die Reparatur wieder.',
  },
  'location.lies': {
    title: 'Ein Ort gab falsche Bytes',
    text: (facts) =>
      `${at(facts, 'Ort', 'Ein Ort')}: ${many(facts.numbers['fragments'], 'Fragment ist', 'Fragmente sind')} nicht wie gespeichert. Die Dateien stimmen weiterhin: Falsche Fragmente werden nie benutzt.`,
    next: 'Die Reparatur schreibt sie neu. Klären Sie, ob die Platte versagt oder jemand sie geändert hat; ein Protokoll der Verletzung ist begonnen.',
  },
  'location.full': {
    title: 'Ein Ort ist voll',
    text: (facts) => `${at(facts, 'Ort', 'Ein Ort')} nimmt nichts mehr an.`,
    next: 'Schaffen Sie dort Platz oder erhöhen Sie das Kontingent; was fehlt, schreibt die Reparatur.',
  },
  'location.denied': {
    title: 'Ein Ort weist unsere Zugangsdaten zurück',
    text: (facts) => `${at(facts, 'Ort', 'Ein Ort')} lässt diese Site nicht herein.`,
    next: 'Prüfen Sie, ob der Zugangsschlüssel geändert, gesperrt oder abgelaufen ist.',
  },
  'location.untrusted': {
    title: 'Ein Ort kann nicht beweisen, dass er der richtige ist',
    text: (facts) => `${at(facts, 'Ort', 'Ein Ort')} zeigt einen anderen Schlüssel oder ein anderes Zertifikat als bisher.`,
    next: 'Fragen Sie den Betreiber, ob das geändert wurde. Wenn nicht, steht jemand dazwischen.',
  },
  'storage.no-redundancy': {
    title: 'Dateien haben keine Reserve mehr',
    text: ({ numbers }) => `${many(numbers['files'], 'Datei verträgt', 'Dateien vertragen')} keinen weiteren Verlust eines Ortes.`,
    next: 'Bringen Sie fehlende Orte zurück und reparieren Sie, bevor noch einer ausfällt.',
  },
  'storage.repair-due': {
    title: 'Schäden warten auf Reparatur',
    text: ({ numbers }) =>
      `${many(numbers['fragments'], 'Fragment ist', 'Fragmente sind')} neu zu schreiben, das älteste seit ${numbers['hours'] ?? 0} h${numbers['before'] === undefined ? '' : `; vor einem Tag waren es ${numbers['before']}`}.`,
    next: 'Die Seite „Zustand“ zeigt, worauf die Reparatur wartet. Starten: quorate repair.',
  },
  'format.incomplete': {
    title: 'Manche Dateien lassen sich jetzt nicht öffnen',
    text: ({ numbers }) => `Es antworten weniger Orte als die ${numbers['needed'] ?? 0} nötigen, oder sie halten zu wenig.`,
    next: 'Bringen Sie Orte zurück; gelöscht ist nichts.',
  },
  'storage.mass-loss': {
    title: 'Ein Ort hat auf einmal viel verloren',
    text: (facts) =>
      `${at(facts, 'Ort', 'Ein Ort')} hat auf einmal viele Fragmente verloren oder geändert, wie wenn jemand ihn leert oder überschreibt. Er wird nicht von selbst wieder gefüllt.`,
    next: 'Klären Sie, was geschah, und tauschen Sie den Zugangsschlüssel; dann reparieren. Ein Protokoll der Verletzung ist begonnen.',
  },
  'storage.fork': {
    title: 'Zwei Geschichten des Tresors kamen ans Licht',
    next: 'Die Seite der Orte zeigt, wer sie schrieb; entscheiden Sie, welche stimmt. Ein Protokoll der Verletzung ist begonnen.',
  },
  'storage.head': {
    title: 'Was die Site zeigt, ist vielleicht nicht das Neueste',
    next: 'Bringen Sie mehr Orte zurück; es klärt sich von selbst, wenn genug von ihnen sagen, welcher Stand der neueste ist.',
  },
  'audit.tampered': {
    title: 'Das Audit-Protokoll wurde verändert',
    next: 'Kopieren Sie zuerst das Heim beiseite und prüfen Sie die Kopie: quorate verify-audit. Ein Protokoll der Verletzung ist begonnen.',
  },
  'main.disk': {
    title: 'Die Platte der Site ist fast voll',
    text: ({ numbers }) => `${numbers['percent'] ?? 0} % sind frei.`,
    next: 'Schaffen Sie Platz; ist keiner mehr da, kann der Tresor nur noch gelesen werden.',
  },
  'api.certificate': {
    title: 'Das Zertifikat in den Dateien ist nicht brauchbar',
    text: () => 'Benutzt wird weiter das vorige.',
    next: 'Legen Sie Zertifikat und Schlüssel hin, die zueinander und zum Namen der Site passen; sie werden von selbst übernommen.',
  },
  'api.certificate-ends': {
    title: 'Das Zertifikat der Site läuft bald ab',
    text: ({ numbers }) => `Es läuft in ${many(numbers['days'], 'Tag', 'Tagen')} ab.`,
    next: 'Erneuern Sie es und überschreiben Sie die alten Dateien; es wird ohne Neustart übernommen.',
  },
  'identity.wait': {
    title: 'Viele Anmeldungen sind gescheitert',
    text: ({ numbers }) =>
      `${many(numbers['count'], 'Versuch wurde', 'Versuche wurden')} aufgeschoben, weil zu viele zuvor gescheitert sind.`,
    next: 'Fragen Sie die Betroffenen, ob sie es waren. Wenn nicht, rät jemand Passwörter: Passkeys lassen sich nicht raten.',
  },
  'alarms.delivery': {
    title: 'Alarme konnten nicht zugestellt werden',
    text: ({ numbers }) =>
      `${many(numbers['waiting'], 'Nachricht wartet', 'Nachrichten warten')}, ${numbers['failed'] ?? 0} wurden aufgegeben.`,
    next: 'Sehen Sie die Nachrichten auf dieser Seite an, richten Sie den Weg und probieren Sie ihn dort.',
  },
  'alarms.breach-due': {
    title: 'Ein Protokoll einer Verletzung wartet auf eine Entscheidung',
    text: ({ numbers }) =>
      (numbers['hours'] ?? 0) < 0
        ? 'Die 72 Stunden nach Art. 33 DSGVO sind vorbei.'
        : `Von den 72 Stunden nach Art. 33 DSGVO bleiben ${numbers['hours'] ?? 0}.`,
    next: 'Die oder der Datenschutzbeauftragte entscheidet, ob die Behörde zu benachrichtigen ist, und trägt es ein.',
  },
}

const WORDS: Readonly<Record<Language, Readonly<Record<string, Words>>>> = { en, de }
const ELSE: Readonly<Record<Language, string>> = {
  en: 'Open the page of the site: it says more.',
  de: 'Öffnen Sie die Seite der Site: Dort steht mehr.',
}

export function alarmWords(language: Language, code: string, facts: Facts): { title: string; text: string; next: string } {
  const words = WORDS[language][code]
  const title = words?.title ?? (Object.hasOwn(CODES, code) ? CODES[code as keyof typeof CODES].title : code)
  const text =
    words === undefined
      ? at(facts, language === 'de' ? 'Ort' : 'Location', '')
      : (words.text?.(facts) ?? at(facts, language === 'de' ? 'Ort' : 'Location', ''))
  return { title, text, next: words?.next ?? ELSE[language] }
}

/** The first entry of a record: what the site knows, and that it is no judgement. */
export function breachBegun(code: string, facts: Facts): string {
  const { title, text } = alarmWords('en', code, facts)
  return `${title}. ${text} (${code}) Whether this is a breach of personal data, and whom to tell, is for people to judge.`
}

export const MESSAGE = {
  en: {
    reasons: {
      began: 'Alarm',
      worse: 'Alarm, worse than before',
      returned: 'Alarm, come back',
      reminder: 'Alarm, not seen by anybody yet',
      over: 'Over',
      many: 'Many alarms',
      test: 'Trial',
    },
    since: 'Since',
    code: 'Code',
    next: 'What to do',
    page: 'The page of alarms',
    many: (open: number) => `More alarms came within an hour than are sent one by one. ${many(open, 'alarm is', 'alarms are')} open now.`,
    test: 'This is a trial. Alarms reach you by this way.',
    foot: 'Sent by the site itself. Names of files or people never stand in these messages.',
  },
  de: {
    reasons: {
      began: 'Alarm',
      worse: 'Alarm, schlimmer als zuvor',
      returned: 'Alarm, wiedergekommen',
      reminder: 'Alarm, noch von niemandem gesehen',
      over: 'Vorbei',
      many: 'Viele Alarme',
      test: 'Probe',
    },
    since: 'Seit',
    code: 'Code',
    next: 'Was zu tun ist',
    page: 'Die Seite der Alarme',
    many: (open: number) =>
      `In einer Stunde kamen mehr Alarme, als einzeln gesendet werden. ${many(open, 'Alarm ist', 'Alarme sind')} jetzt offen.`,
    test: 'Dies ist eine Probe. Auf diesem Weg erreichen Sie Alarme.',
    foot: 'Von der Site selbst gesendet. Namen von Dateien oder Menschen stehen nie in diesen Nachrichten.',
  },
} as const
