// Deutsch: SFTP und WebDAV einrichten.
import type { Words } from '../en.ts'

export const servers: Words['servers'] = {
  host: 'Server',
  hostWrong: 'Ein Name oder eine Adresse, mit Port, wenn er nicht 22 ist: sftp.example.org:2222.',
  user: 'Benutzer',
  userMissing: 'Wer meldet sich dort an?',
  folder: 'Ordner auf dem Server',
  folderHint: 'Es muss ihn schon geben. ~/vault beginnt beim Ordner der Anmeldung.',
  folderWrong: 'Ein Pfad, der mit / oder ~/ beginnt.',
  hostKey: 'Fingerabdruck des Servers',
  hostKeyHint:
    'Fragen Sie, wer den Server betreibt; dort zeigt ihn ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub. Niemandem wird vertraut, nur weil er zuerst geantwortet hat.',
  hostKeyWrong: 'SHA256: und 43 Zeichen.',
  keyFile: 'Datei mit dem privaten Schlüssel',
  passwordFile: 'Oder Datei mit dem Passwort',
  secrets:
    'Dateien auf diesem Rechner. Schlüssel und Passwörter gehen nie durch diese Seite. Beide leer lassen, wenn QUORATE_SFTP_PASSWORD dort gesetzt ist, wo Quorate gestartet wurde.',
  address: 'Web-Adresse des Ordners',
  addressHint: 'Es muss ihn schon geben.',
  addressWrong: 'Eine Web-Adresse mit Ordner, wie https://dav.example.org/vault.',
  credentials: 'Datei mit Benutzer und Passwort (auf diesem Rechner)',
  credentialsHint:
    'Zwei Zeilen: user = "..." und password = "...". Sie geht nie durch diese Seite. Leer lassen, wenn QUORATE_WEBDAV_USER und QUORATE_WEBDAV_PASSWORD dort gesetzt sind, wo Quorate gestartet wurde.',
}
