// The media type of a file by its name, for browsers; never trusted for anything.
const TYPES: Readonly<Record<string, string>> = {
  bam: 'application/octet-stream',
  bed: 'text/plain',
  bmp: 'image/bmp',
  csv: 'text/csv',
  dcm: 'application/dicom',
  gif: 'image/gif',
  gz: 'application/gzip',
  html: 'text/html',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  json: 'application/json',
  md: 'text/markdown',
  mp4: 'video/mp4',
  parquet: 'application/vnd.apache.parquet',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  svs: 'image/tiff',
  tif: 'image/tiff',
  tiff: 'image/tiff',
  tsv: 'text/tab-separated-values',
  txt: 'text/plain',
  vcf: 'text/plain',
  webp: 'image/webp',
  xml: 'application/xml',
  zip: 'application/zip',
}

const UNKNOWN_TYPE = 'application/octet-stream'

export function contentTypeOf(path: string): string {
  const dot = path.lastIndexOf('.')
  return (dot >= 0 ? TYPES[path.slice(dot + 1).toLowerCase()] : undefined) ?? UNKNOWN_TYPE
}
