// Deutsch: Cloud-Speicher einrichten.
import type { Words } from '../en.ts'

export const clouds: Words['clouds'] = {
  s3: {
    endpoint: 'https://s3.example.org',
    bucket: 'Bucket',
    keyFile:
      'Schlüssel gehen nie durch diese Seite. Leer lassen, wenn AWS_ACCESS_KEY_ID und AWS_SECRET_ACCESS_KEY dort gesetzt sind, wo Quorate gestartet wurde.',
  },
  azure: {
    endpoint: 'https://konto.blob.core.windows.net',
    bucket: 'Container',
    keyFile:
      'Eine Verbindungszeichenfolge, eine Shared Access Signature, oder Konto und Schlüssel. Sie gehen nie durch diese Seite. Leer lassen, wenn AZURE_STORAGE_CONNECTION_STRING dort gesetzt ist, wo Quorate gestartet wurde.',
  },
  gcs: {
    endpoint: 'https://storage.googleapis.com',
    bucket: 'Bucket',
    keyFile:
      'Die JSON-Datei eines Dienstkontos. Sie geht nie durch diese Seite. Leer lassen, wenn GOOGLE_APPLICATION_CREDENTIALS dort gesetzt ist, wo Quorate gestartet wurde.',
  },
  containerMissing: 'Welcher Container?',
}
