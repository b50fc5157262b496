// English: setting up SFTP and WebDAV.
export const servers = {
  host: 'Server',
  hostWrong: 'A name or address, with a port if it is not 22: sftp.example.org:2222.',
  user: 'User',
  userMissing: 'Who logs in there?',
  folder: 'Folder on the server',
  folderHint: 'It must exist. ~/vault begins at the folder of the login.',
  folderWrong: 'A path that begins with / or ~/.',
  hostKey: 'Fingerprint of the server',
  hostKeyHint:
    'Ask who runs the server; there it is shown by ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Nobody is trusted for having answered first.',
  hostKeyWrong: 'SHA256: and 43 characters.',
  keyFile: 'File with the private key',
  passwordFile: 'Or file with the password',
  secrets:
    'Files on this computer. Keys and passwords never travel through this page. Leave both empty when QUORATE_SFTP_PASSWORD is set where Quorate was started.',
  address: 'Web address of the folder',
  addressHint: 'It must exist.',
  addressWrong: 'A web address with a folder, like https://dav.example.org/vault.',
  credentials: 'File with user and password (on this computer)',
  credentialsHint:
    'Two lines: user = "..." and password = "...". It never travels through this page. Leave it empty when QUORATE_WEBDAV_USER and QUORATE_WEBDAV_PASSWORD are set where Quorate was started.',
}
