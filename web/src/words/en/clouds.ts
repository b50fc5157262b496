// English: setting up cloud stores.
export const clouds = {
  s3: {
    endpoint: 'https://s3.example.org',
    bucket: 'Bucket',
    keyFile:
      'Keys never travel through this page. Leave it empty when AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are set where Quorate was started.',
  },
  azure: {
    endpoint: 'https://account.blob.core.windows.net',
    bucket: 'Container',
    keyFile:
      'A connection string, a shared access signature, or account and key. It never travels through this page. Leave it empty when AZURE_STORAGE_CONNECTION_STRING is set where Quorate was started.',
  },
  gcs: {
    endpoint: 'https://storage.googleapis.com',
    bucket: 'Bucket',
    keyFile:
      'The JSON file of a service account. It never travels through this page. Leave it empty when GOOGLE_APPLICATION_CREDENTIALS is set where Quorate was started.',
  },
  containerMissing: 'Which container?',
}
