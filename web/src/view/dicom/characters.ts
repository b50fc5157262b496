// The character sets of DICOM text (PS3.3, C.12.1.1.2), as browsers know them.

const LABELS: Readonly<Record<string, string>> = {
  '': 'windows-1252',
  'ISO_IR 6': 'windows-1252',
  'ISO_IR 100': 'iso-8859-1',
  'ISO_IR 101': 'iso-8859-2',
  'ISO_IR 109': 'iso-8859-3',
  'ISO_IR 110': 'iso-8859-4',
  'ISO_IR 144': 'iso-8859-5',
  'ISO_IR 127': 'iso-8859-6',
  'ISO_IR 126': 'iso-8859-7',
  'ISO_IR 138': 'iso-8859-8',
  'ISO_IR 148': 'windows-1254',
  'ISO_IR 203': 'iso-8859-15',
  'ISO_IR 13': 'shift_jis',
  'ISO_IR 166': 'windows-874',
  'ISO_IR 192': 'utf-8',
  GB18030: 'gb18030',
  GBK: 'gbk',
  'ISO 2022 IR 87': 'iso-2022-jp',
  'ISO 2022 IR 159': 'iso-2022-jp',
  'ISO 2022 IR 149': 'euc-kr',
  'ISO 2022 IR 58': 'gb18030',
}

/** Escape sequences to G1 that a decoder of these sets does not want to see. */
// eslint-disable-next-line no-control-regex
const ESCAPES = /\u001b(?:\$\)[AC]|\(B|-[A-Z])/g

/** The decoder of texts in a file that names these sets, the last of which is the one that extends the others. */
export function decoderOf(sets: readonly string[]): (bytes: Uint8Array) => string {
  const named = sets.map((set) => set.trim()).filter((set) => set !== '')
  const wanted = named.at(-1) ?? ''
  const label = LABELS[wanted] ?? LABELS[wanted.replace('ISO 2022 IR ', 'ISO_IR ')] ?? 'windows-1252'
  const decoder = new TextDecoder(label)
  return (bytes) => {
    const text = decoder.decode(bytes)
    return label === 'iso-2022-jp' ? text : text.replaceAll(ESCAPES, '')
  }
}
