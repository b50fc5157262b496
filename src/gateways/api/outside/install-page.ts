// The sheet itself, in English and German: on the screen and on paper.
import type { Install } from './install.ts'

interface Way {
  readonly name: string
  readonly steps: readonly string[]
}

interface InstallWords {
  readonly title: string
  readonly lead: string
  readonly compare: string
  readonly fingerprint: string
  readonly ends: (day: string) => string
  readonly get: string
  readonly forDevices: string
  readonly forPrograms: string
  readonly carry: string
  readonly ways: string
  readonly list: readonly Way[]
  readonly after: (origin: string) => string
  readonly whatItMeans: string
  readonly meaning: (host: string) => string
  readonly remove: string
  readonly removal: string
  readonly paper: string
  readonly other: string
}

const en: InstallWords = {
  title: 'Trust this site',
  lead: 'This site has a certificate of its own. Browsers believe it once its authority is installed on the device, which is done once.',
  compare:
    'On every device compare this fingerprint, character by character, before you say yes. If it differs, stop: somebody stands in between.',
  fingerprint: 'Fingerprint (SHA-256)',
  ends: (day) => `Valid until ${day}.`,
  get: 'Get the file',
  forDevices: 'for Windows, macOS, iOS and Android',
  forPrograms: 'for Linux, Firefox and programs',
  carry:
    'Carry it to the other devices by a way that you trust: a stick, the management of your devices, mail within the house. It holds no secret. This page answers on this machine only, so that nobody on the network can give out another file in its place.',
  ways: 'Install it',
  list: [
    {
      name: 'Windows (Edge, Chrome)',
      steps: [
        'Open the .crt file, then “Install Certificate…”, “Local Machine” (or “Current User” without rights).',
        '“Place all certificates in the following store”, “Browse…”, “Trusted Root Certification Authorities”.',
        'On the tab “Details” compare the fingerprint (Windows shows SHA-1 there; for SHA-256 run: certutil -hashfile quorate-authority.crt SHA256).',
        'For many computers: group policy, Computer Configuration, Policies, Windows Settings, Security Settings, Public Key Policies, Trusted Root Certification Authorities.',
      ],
    },
    {
      name: 'macOS (Safari, Chrome)',
      steps: [
        'Open the .crt file; Keychain Access asks for a keychain: “System”.',
        'Double-click the certificate “Quorate of …”, compare the fingerprint under “Fingerprints, SHA-256”.',
        'Under “Trust” choose “Always Trust” for Secure Sockets Layer (SSL), close, and confirm with your password.',
      ],
    },
    {
      name: 'iPhone and iPad',
      steps: [
        'Bring the .crt file to the device by AirDrop or mail and open it: “Profile Downloaded”.',
        'Settings, General, VPN & Device Management, the profile “Quorate of …”: under “More Details” compare the fingerprint, then “Install”.',
        'Settings, General, About, Certificate Trust Settings: switch on full trust for it.',
      ],
    },
    {
      name: 'Android (Chrome)',
      steps: [
        'Copy the .crt file to the device.',
        'Settings, Security & privacy, More, Encryption & credentials, Install a certificate, CA certificate; names differ between makers.',
        'Settings, Trusted credentials, User: open it and compare the fingerprint. Android shows from now on that the network may be monitored; that is about this certificate.',
      ],
    },
    {
      name: 'Linux (Chrome, curl, programs)',
      steps: [
        'Compare: openssl x509 -in quorate-authority.pem -noout -fingerprint -sha256',
        'Debian, Ubuntu: sudo cp quorate-authority.pem /usr/local/share/ca-certificates/quorate-authority.crt && sudo update-ca-certificates',
        'Fedora, Red Hat: sudo trust anchor quorate-authority.pem',
        'Chrome and Chromium: Settings, Privacy and security, Security, Manage certificates, Custom, Import.',
      ],
    },
    {
      name: 'Firefox, on every system',
      steps: [
        'Settings, Privacy & Security, Certificates, View Certificates…, Authorities, Import…: the .pem file.',
        '“View” shows the fingerprint: compare it. Then tick “Trust this CA to identify websites”.',
        'On Windows and macOS Firefox also believes what the system believes (security.enterprise_roots.enabled).',
      ],
    },
  ],
  after: (origin) => `Then open ${origin}/ on that device. The lock in front of the address is there without a question.`,
  whatItMeans: 'What you agree to',
  meaning: (host) =>
    `The authority can vouch for ${host} and for nothing else: that limit stands in its certificate. Its key lies in the home of this site, readable by its user only. Where your house has an authority of its own, use a certificate of that one instead (--certificate).`,
  remove: 'To take it back',
  removal:
    'Remove the certificate “Quorate of …” in the same place. When the home of this site was lost or stolen, do that on every device.',
  paper: 'To print this sheet: Ctrl+P, or Cmd+P.',
  other: 'Deutsch',
}

const de: InstallWords = {
  title: 'Dieser Site vertrauen',
  lead: 'Diese Site hat ein eigenes Zertifikat. Browser glauben ihm, sobald dessen Stelle auf dem Gerät eingerichtet ist; das geschieht einmal.',
  compare:
    'Vergleichen Sie auf jedem Gerät diesen Fingerabdruck Zeichen für Zeichen, bevor Sie zustimmen. Weicht er ab, brechen Sie ab: Dann steht jemand dazwischen.',
  fingerprint: 'Fingerabdruck (SHA-256)',
  ends: (day) => `Gültig bis ${day}.`,
  get: 'Die Datei holen',
  forDevices: 'für Windows, macOS, iOS und Android',
  forPrograms: 'für Linux, Firefox und Programme',
  carry:
    'Bringen Sie sie auf einem Weg, dem Sie vertrauen, zu den anderen Geräten: Stick, Geräteverwaltung, Hauspost. Sie enthält kein Geheimnis. Diese Seite antwortet nur auf diesem Rechner, damit niemand im Netz eine andere Datei unterschiebt.',
  ways: 'Einrichten',
  list: [
    {
      name: 'Windows (Edge, Chrome)',
      steps: [
        'Die .crt-Datei öffnen, „Zertifikat installieren…“, „Lokaler Computer“ (ohne Rechte: „Aktueller Benutzer“).',
        '„Alle Zertifikate in folgendem Speicher speichern“, „Durchsuchen…“, „Vertrauenswürdige Stammzertifizierungsstellen“.',
        'Den Fingerabdruck vergleichen: unter „Details“ zeigt Windows SHA-1; SHA-256 sagt certutil -hashfile quorate-authority.crt SHA256',
        'Für viele Rechner: Gruppenrichtlinie, Computerkonfiguration, Richtlinien, Windows-Einstellungen, Sicherheitseinstellungen, Richtlinien für öffentliche Schlüssel, Vertrauenswürdige Stammzertifizierungsstellen.',
      ],
    },
    {
      name: 'macOS (Safari, Chrome)',
      steps: [
        'Die .crt-Datei öffnen; die Schlüsselbundverwaltung fragt nach einem Schlüsselbund: „System“.',
        'Das Zertifikat „Quorate of …“ doppelt anklicken und unter „Fingerabdrücke, SHA-256“ vergleichen.',
        'Unter „Vertrauen“ für Secure Sockets Layer (SSL) „Immer vertrauen“ wählen, schließen, mit dem Passwort bestätigen.',
      ],
    },
    {
      name: 'iPhone und iPad',
      steps: [
        'Die .crt-Datei per AirDrop oder Mail auf das Gerät bringen und öffnen: „Profil geladen“.',
        'Einstellungen, Allgemein, VPN und Geräteverwaltung, Profil „Quorate of …“: unter „Mehr Details“ den Fingerabdruck vergleichen, dann „Installieren“.',
        'Einstellungen, Allgemein, Info, Zertifikatsvertrauenseinstellungen: volles Vertrauen einschalten.',
      ],
    },
    {
      name: 'Android (Chrome)',
      steps: [
        'Die .crt-Datei auf das Gerät kopieren.',
        'Einstellungen, Sicherheit und Datenschutz, Weitere, Verschlüsselung und Anmeldedaten, Zertifikat installieren, CA-Zertifikat; die Namen sind je nach Hersteller andere.',
        'Einstellungen, Vertrauenswürdige Anmeldedaten, Nutzer: öffnen und den Fingerabdruck vergleichen. Android zeigt ab jetzt, dass das Netz überwacht werden könnte; gemeint ist dieses Zertifikat.',
      ],
    },
    {
      name: 'Linux (Chrome, curl, Programme)',
      steps: [
        'Vergleichen: openssl x509 -in quorate-authority.pem -noout -fingerprint -sha256',
        'Debian, Ubuntu: sudo cp quorate-authority.pem /usr/local/share/ca-certificates/quorate-authority.crt && sudo update-ca-certificates',
        'Fedora, Red Hat: sudo trust anchor quorate-authority.pem',
        'Chrome und Chromium: Einstellungen, Datenschutz und Sicherheit, Sicherheit, Zertifikate verwalten, Benutzerdefiniert, Importieren.',
      ],
    },
    {
      name: 'Firefox, auf jedem System',
      steps: [
        'Einstellungen, Datenschutz & Sicherheit, Zertifikate, Zertifikate anzeigen…, Zertifizierungsstellen, Importieren…: die .pem-Datei.',
        '„Ansehen“ zeigt den Fingerabdruck: vergleichen. Dann „Dieser CA vertrauen, um Websites zu identifizieren“.',
        'Unter Windows und macOS glaubt Firefox auch, was das System glaubt (security.enterprise_roots.enabled).',
      ],
    },
  ],
  after: (origin) => `Öffnen Sie dann auf dem Gerät ${origin}/. Das Schloss vor der Adresse ist da, ohne dass etwas gefragt wird.`,
  whatItMeans: 'Wozu Sie ja sagen',
  meaning: (host) =>
    `Die Stelle kann für ${host} bürgen und für nichts sonst: Diese Grenze steht in ihrem Zertifikat. Ihr Schlüssel liegt im Heim dieser Site, lesbar nur für deren Benutzer. Hat Ihr Haus eine eigene Zertifizierungsstelle, nehmen Sie besser ein Zertifikat von dort (--certificate).`,
  remove: 'Zurücknehmen',
  removal:
    'Entfernen Sie das Zertifikat „Quorate of …“ am selben Ort. Ist das Heim dieser Site verloren oder gestohlen, tun Sie das auf jedem Gerät.',
  paper: 'Dieses Blatt drucken: Strg+P.',
  other: 'English',
}

const WORDS = { en, de }

export function installPage(install: Install, language: 'de' | 'en'): string {
  const words = WORDS[language]
  const day = new Date(install.endsMs).toISOString().slice(0, 10)
  const host = new URL(install.origin).hostname
  const ways = words.list.map(
    ({ name, steps }) =>
      `<section class="way"><h3>${escaped(name)}</h3><ol>${steps.map((step) => `<li>${escaped(step)}</li>`).join('')}</ol></section>`,
  )
  const other = language === 'de' ? 'en' : 'de'
  return `<!doctype html>
<html lang="${language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(words.title)} · Quorate</title>
<link rel="stylesheet" href="/install/install.css">
</head>
<body>
<main>
<p class="tongue"><a href="/install?lang=${other}" lang="${other}" hreflang="${other}">${escaped(words.other)}</a></p>
<h1>${escaped(words.title)}</h1>
<p class="lead">${escaped(words.lead)}</p>
<section class="print" aria-labelledby="fingerprint">
<h2 id="fingerprint">${escaped(words.fingerprint)}</h2>
<p><code>${lines(install.fingerprint)}</code></p>
<p>${escaped(words.compare)} ${escaped(words.ends(day))}</p>
</section>
<h2>1. ${escaped(words.get)}</h2>
<ul>
<li><a href="/install/quorate-authority.crt" download>quorate-authority.crt</a> ${escaped(words.forDevices)}</li>
<li><a href="/install/quorate-authority.pem" download>quorate-authority.pem</a> ${escaped(words.forPrograms)}</li>
</ul>
<p>${escaped(words.carry)}</p>
<h2>2. ${escaped(words.ways)}</h2>
<div class="ways">${ways.join('')}</div>
<p class="lead">${escaped(words.after(install.origin))}</p>
<h2>${escaped(words.whatItMeans)}</h2>
<p>${escaped(words.meaning(host))}</p>
<h2>${escaped(words.remove)}</h2>
<p>${escaped(words.removal)}</p>
<p class="paper">${escaped(words.paper)}</p>
</main>
</body>
</html>
`
}

/** Four groups of eight bytes, so that eyes and voices find their place. */
function lines(fingerprint: string): string {
  const bytes = fingerprint.split(':')
  const rows = [0, 8, 16, 24].map((at) => bytes.slice(at, at + 8).join(' '))
  return rows.map(escaped).join('<br>')
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}

export const INSTALL_STYLE = `:root { color-scheme: light dark; --ink: #17202b; --paper: #fbfbfa; --line: #c9ced6; --deep: #0b5a4a; --box: #eef4f2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ecf1; --paper: #14191f; --line: #3d4650; --deep: #7fd6c0; --box: #1c2a28; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1rem/1.55 system-ui, sans-serif; }
main { max-width: 60rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.8rem; margin: 0 0 .5rem; }
h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0 0 .25rem; }
a { color: var(--deep); }
a:focus-visible { outline: 3px solid var(--deep); outline-offset: 2px; }
.tongue { text-align: right; margin: 0; }
.lead { font-size: 1.1rem; max-width: 46rem; }
.print { border: 2px solid var(--deep); border-radius: .6rem; background: var(--box); padding: .25rem 1rem; }
.print h2 { margin-top: .75rem; }
code { font: 600 1.05rem/1.7 ui-monospace, monospace; overflow-wrap: anywhere; }
.ways { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
.way { border: 1px solid var(--line); border-radius: .6rem; padding: .8rem 1rem; break-inside: avoid; overflow-wrap: anywhere; }
ol, ul { padding-left: 1.3rem; margin: .25rem 0; }
@media print { body { background: #fff; color: #000; font-size: 10pt; } .tongue, .paper { display: none; } main { padding: 0; max-width: none; } .print { background: #fff; } a { color: #000; } }
`
