// Rows of figures as a table that people read: one block for each bench, with the columns that its rows have.

export type Row = Readonly<Record<string, unknown>>

export function table(rows: readonly Row[]): string {
  const benches = [...new Set(rows.map(({ bench }) => String(bench)))]
  return benches
    .map((bench) => {
      const mine = rows.filter((row) => row['bench'] === bench)
      const columns = [...new Set(mine.flatMap((row) => Object.keys(row)))].filter((column) => column !== 'bench')
      const lines = [columns, ...mine.map((row) => columns.map((column) => cell(row[column])))]
      const widths = columns.map((_, at) => Math.max(...lines.map((line) => line[at]!.length)))
      const text = lines.map((line) =>
        line
          .map((word, at) => word.padEnd(widths[at]!))
          .join('  ')
          .trimEnd(),
      )
      return [bench, ...text.map((line) => `  ${line}`), ''].join('\n')
    })
    .join('\n')
}

function cell(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'boolean') return value ? 'yes' : 'NO'
  if (typeof value === 'object') {
    const { median, least, most } = value as { median?: number; least?: number; most?: number }
    if (median !== undefined) return least === most ? String(median) : `${median} (${least}-${most})`
    return JSON.stringify(value)
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}
