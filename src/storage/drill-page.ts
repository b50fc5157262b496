// The report of a drill as a page for people and files. English and German.
import type { DrillReport } from '#contract'

export function drillPage(report: DrillReport, dealer: string): string {
  const { vault, people, rounds, began, ended, product, python, objects, bytes, passed } = report
  const each = rounds.length >= vault.count
  const line = (name: string, value: string): string => `<dt>${name}</dt><dd>${escaped(value)}</dd>`
  const rows = rounds.map(
    ({ blocked, files, product: came, recoverPy, equal, productMs, recoverMs }) =>
      `<tr><td>${escaped(blocked)}</td><td>${came}/${files}</td><td>${recoverPy}/${files}</td><td>${equal}/${files}</td><td>${seconds(productMs)}</td><td>${seconds(recoverMs)}</td></tr>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>Quorate: recovery drill</title>
<style>
body { font: 11pt/1.45 system-ui, sans-serif; max-width: 19cm; margin: 1cm auto; color: #000; background: #fff }
dl { display: grid; grid-template-columns: 6cm 1fr; gap: .2em .6em } dt { color: #444 } dd { margin: 0; overflow-wrap: anywhere }
table { border-collapse: collapse; width: 100% } th, td { border: 1px solid #888; padding: .2em .4em; text-align: left }
.line { margin-top: 1.6cm; border-top: 1px solid #000; width: 8cm }
</style>
</head>
<body>
<h1>Recovery drill <span lang="de">(Wiederherstellungsübung)</span></h1>
<p><strong>${passed ? `Passed: every file came back with ${each ? 'each location' : escaped(rounds[0]?.blocked ?? '')} blocked, twice, and equal.` : 'NOT passed.'}</strong>
<span lang="de">${passed ? `Bestanden: Jede Datei kam zurück, während ${each ? 'je ein Ort' : escaped(rounds[0]?.blocked ?? '')} gesperrt war, auf zwei Wegen und gleich.` : 'NICHT bestanden.'}</span></p>
<dl>
${line('Vault (Tresor)', `${vault.name}, ${vault.id}`)}
${line('Rule (Regel)', `${vault.threshold} of ${vault.count}, ${vault.layout}`)}
${line('Began, ended (Beginn, Ende)', `${began}, ${ended}`)}
${line('Files drawn (gezogene Dateien)', `${objects.length}, ${bytes} bytes`)}
${line('Quorate, Python', `${product}, ${python ?? 'none'}`)}
${line('Fingerprint of the dealer (Fingerabdruck)', dealer)}
</dl>
<table>
<thead><tr><th>Blocked (gesperrt)</th><th>Quorate</th><th>recover.py</th><th>equal (gleich)</th><th>Quorate, s</th><th>recover.py, s</th></tr></thead>
<tbody>${rows.join('')}</tbody>
</table>
${people.map((name) => `<p class="line">${escaped(name)}</p>`).join('\n')}
<p><small>The file beside this page is signed with ML-DSA-65 and Ed25519: quorate drill verify FILE. It names no file and holds no hash of a content.</small></p>
</body>
</html>
`
}

function seconds(ms: number): string {
  return (ms / 1000).toFixed(1)
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
