// The pages of a kit for people: a sheet to print, without secrets, and where to begin. English and German.
import type { KitFacts } from '#contract'

type Facts = Omit<KitFacts, 'files'>

interface SheetWords {
  readonly language: string
  readonly title: string
  readonly lead: string
  readonly rule: string
  readonly vault: string
  readonly dealer: string
  readonly dealerHint: string
  readonly layout: string
  readonly locations: string
  readonly made: string
  readonly how: string
  readonly steps: readonly string[]
  readonly sealed: string
  readonly noSecrets: string
  readonly notes: string
}

function english({ vault, dealer, sealed }: Facts): SheetWords {
  return {
    language: 'en',
    title: 'Recovery sheet',
    lead: 'It holds no secret: whoever finds it can open nothing.',
    rule: `Any ${vault.threshold} of ${vault.count} locations open a file.`,
    vault: 'Vault',
    dealer: 'Fingerprint of the dealer',
    dealerHint: 'Tells a genuine vault from a forged one. Compare it when you restore.',
    layout: 'Layout',
    locations: 'Locations',
    made: 'Made',
    how: `When the site is lost, with any ${vault.threshold} of the locations as folders or downloaded buckets`,
    steps: [
      'Without anything installed: open recover.html in a browser, without a network.',
      `With Python 3.8 or later: python3 recover.py --out restored --k ${vault.threshold} --dealer ${dealer.fingerprint} FOLDER FOLDER`,
      'As a site again: quorate restore KIT on a machine with Quorate and an empty home.',
    ],
    sealed:
      sealed === null
        ? ''
        : `secrets.age holds ${sealed.contains.join(' and ')}, sealed to ${sealed.officers.map(({ name }) => name).join(', ')}: any one of them opens it with age.`,
    noSecrets: 'Access keys of the locations are not in this kit. Where are they kept?',
    notes: 'Notes',
  }
}

function german({ vault, dealer, sealed }: Facts): SheetWords {
  const names = { credentials: 'Zugangsschlüssel', 'signing-keys': 'Signaturschlüssel' }
  return {
    language: 'de',
    title: 'Wiederherstellungsblatt',
    lead: 'Es enthält kein Geheimnis: Wer es findet, kann nichts öffnen.',
    rule: `${vault.threshold} beliebige von ${vault.count} Orten öffnen eine Datei.`,
    vault: 'Tresor',
    dealer: 'Fingerabdruck des Ausstellers',
    dealerHint: 'Unterscheidet einen echten Tresor von einem gefälschten. Beim Wiederherstellen vergleichen.',
    layout: 'Ablage',
    locations: 'Orte',
    made: 'Erstellt',
    how: `Wenn die Anlage verloren ist, mit ${vault.threshold} beliebigen der Orte als Ordner oder heruntergeladene Buckets`,
    steps: [
      'Ohne dass etwas installiert ist: recover.html in einem Browser öffnen, ohne Netz.',
      `Mit Python ab 3.8: python3 recover.py --out restored --k ${vault.threshold} --dealer ${dealer.fingerprint} ORDNER ORDNER`,
      'Wieder als Anlage: quorate restore KIT auf einem Rechner mit Quorate und leerem Home.',
    ],
    sealed:
      sealed === null
        ? ''
        : `secrets.age enthält ${sealed.contains.map((one) => names[one]).join(' und ')}, versiegelt für ${sealed.officers.map(({ name }) => name).join(', ')}: Jeder davon öffnet sie mit age.`,
    noSecrets: 'Die Zugangsschlüssel der Orte sind nicht in diesem Satz. Wo liegen sie?',
    notes: 'Notizen',
  }
}

/** One HTML file, a page in each language, without script or network. */
export function kitSheet(facts: Facts): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Quorate: ${escaped(facts.vault.name)}</title>
<style>
body { font: 11pt/1.45 system-ui, sans-serif; margin: 0; color: #000; background: #fff }
article { max-width: 18cm; margin: 1cm auto; page-break-after: always }
h1 { font-size: 18pt; margin: 0 } h2 { font-size: 12pt; margin: 1em 0 .2em }
dl { display: grid; grid-template-columns: 5cm 1fr; gap: .3em .6em } dt { color: #444 } dd { margin: 0; overflow-wrap: anywhere }
.mono { font-family: ui-monospace, monospace; overflow-wrap: anywhere } .notes { height: 4cm; border: 1px solid #888 }
</style>
</head>
<body>
${[english(facts), german(facts)].map((words) => article(facts, words)).join('\n')}
</body>
</html>
`
}

function article({ vault, dealer, locations, made, product, sealed }: Facts, words: SheetWords): string {
  return `<article lang="${words.language}">
<h1>${words.title}: ${escaped(vault.name)}</h1>
<p>${words.lead}</p>
<dl>
<dt>${words.rule}</dt><dd></dd>
<dt>${words.vault}</dt><dd class="mono">${grouped(vault.id)}</dd>
<dt>${words.dealer}</dt><dd><span class="mono">${grouped(dealer.fingerprint)}</span><br><small>${words.dealerHint}</small></dd>
<dt>${words.layout}</dt><dd>${vault.layout}</dd>
<dt>${words.made}</dt><dd>${made.slice(0, 10)}, Quorate ${escaped(product)}</dd>
</dl>
<h2>${words.locations}</h2>
<ol>${locations.map(({ label, place }) => `<li>${escaped(label)}${label === place ? '' : `<br><span class="mono">${escaped(place)}</span>`}</li>`).join('')}</ol>
<h2>${words.how}</h2>
<ul>${words.steps.map((step) => `<li class="mono">${escaped(step)}</li>`).join('')}</ul>
<p>${escaped(sealed === null ? words.noSecrets : words.sealed)}</p>
<h2>${words.notes}</h2>
<div class="notes"></div>
</article>`
}

/** The first file that somebody in distress should open. */
export function kitStart(facts: Facts): string {
  const part = ({ title, rule, how, steps, noSecrets, sealed, dealer }: SheetWords): string =>
    [
      `${title}: ${facts.vault.name} (${facts.vault.id})`,
      '',
      rule,
      `${dealer}: ${facts.dealer.fingerprint}`,
      '',
      `${how}:`,
      '',
      ...steps.map((step) => `- ${step}`),
      '',
      facts.sealed === null ? noSecrets : sealed,
      '',
    ].join('\n')
  return `${part(english(facts))}\n----\n\n${part(german(facts))}`
}

/** Hex in groups of four, so that eyes can compare it. */
function grouped(hex: string): string {
  return hex.match(/.{1,4}/g)?.join(' ') ?? hex
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
